import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Random bytes; the machine's generator, or a test's. */
export type Random = (bytes: number) => Buffer;

/** SHA-256 in hex. Enough for tokens of 128 random bits and more, which cannot be guessed from it; never for passwords. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Compares without telling by its time where two texts differ, or how long they are. */
export function isSame(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/**
 * The CSRF token of a session: an HMAC under the session token, so that it belongs to this session and no other and needs
 * no row (the signed double-submit pattern of OWASP, with a header in place of the second cookie).
 */
export function csrfTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('castellan csrf v1').digest('base64url');
}
