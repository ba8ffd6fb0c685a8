import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const TAG_BYTES = 16;

/** A key for one purpose, from the master key: HKDF-SHA256 (RFC 5869), 32 bytes. Purposes never share a key. */
export function deriveKey(master: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, 'castellan vault v1', purpose, 32));
}

/** Names a master key without telling anything of it: 16 hex digits. */
export function keyId(master: Uint8Array): string {
  return deriveKey(master, 'key id').toString('hex', 0, 8);
}

/** What a sealed value belongs to; a row copied onto another name or version does not open. */
export interface Place {
  readonly name: string;
  readonly version: number;
}

export interface Sealed {
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** AES-256-GCM (NIST SP 800-38D); `nonce` is 12 random bytes, never used twice. */
export function seal(key: Uint8Array, place: Place, value: string, nonce: Uint8Array): Sealed {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(boundTo(place));
  return { nonce, sealed: Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]) };
}

/** Throws when the key, the place or a single bit is not the one it was sealed with. */
export function unseal(key: Uint8Array, place: Place, { nonce, sealed }: Sealed): string {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
}

function boundTo({ name, version }: Place): Buffer {
  return Buffer.from(JSON.stringify(['castellan.vault', name, version]));
}
