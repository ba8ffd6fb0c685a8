import { z } from 'zod';
import { Done, endpoint } from '#core/endpoint';

/** A browser that is logged in. Times are ISO 8601, UTC. */
export const SessionInfo = z.object({
  id: z.string(),
  via: z.enum(['password', 'link', 'passkey']),
  /** What was given besides; null where none was enrolled, or for a passkey, which is both. */
  factor: z.enum(['totp', 'passkey', 'recovery']).nullable(),
  address: z.string(),
  userAgent: z.string(),
  /** A name for people: "Firefox on Linux". */
  device: z.string(),
  /** Name in the client certificate it was opened with; null without mutual TLS. */
  certificate: z.string().nullable(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

/** What waits for a second factor: good for two minutes and five attempts. */
export const LoginChallenge = z.object({
  id: z.string(),
  factors: z.array(z.enum(['totp', 'passkey', 'recovery'])),
  /** What the browser's authenticator is asked for (WebAuthn), where a passkey would do. */
  passkey: z.unknown().optional(),
  expiresAt: z.string(),
});
export type LoginChallenge = z.infer<typeof LoginChallenge>;

/** Whether this browser is logged in, and what it needs to go on. */
export const SessionState = z.object({
  authenticated: z.boolean(),
  /** Without one, the login link is the only way in: the browser asks for a password to be set first of all. */
  passwordSet: z.boolean(),
  /** Whether a passkey can open the door at this address. */
  passkeys: z.boolean(),
  /** Sent back in the `X-CSRF-Token` header with everything that is not a GET. */
  csrfToken: z.string().nullable(),
  session: SessionInfo.nullable(),
  /** A login waits for its second factor: answer it at `POST /api/login/factor`. */
  challenge: LoginChallenge.nullable(),
});
export type SessionState = z.infer<typeof SessionState>;

export const logout = endpoint({
  method: 'POST',
  path: '/api/logout',
  grant: 'public',
  summary: 'Ends the session of this browser.',
  input: z.strictObject({}),
  output: Done,
});
export const getSession = endpoint({
  method: 'GET',
  path: '/api/session',
  grant: 'public',
  summary: 'Whether this browser is logged in.',
  input: z.strictObject({}),
  output: SessionState,
});
