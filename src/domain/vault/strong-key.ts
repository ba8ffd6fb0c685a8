import { AppError } from '#core/errors';
import { isPlaceholder } from './weak.ts';

export const KEY_BYTES = 32;

/** Refuses a key that could be guessed: under 32 bytes (of hex, base64 or text), a placeholder, or a few characters over and over. */
export function strongKey(text: string, where: string): Buffer {
  const key = text.trim();
  const refuse = (why: string): never => {
    throw new AppError('invalid', 'vault.weak_key', `${where}: ${why}. Make one with "openssl rand -base64 32".`, { where });
  };
  if (isPlaceholder(key)) refuse('the master key is a placeholder');
  const bytes = decode(key);
  if (bytes.length < KEY_BYTES) refuse(`the master key has ${bytes.length} bytes, it needs ${KEY_BYTES}`);
  if (new Set(key).size < 10) refuse('the master key repeats a few characters');
  return bytes;
}

function decode(key: string): Buffer {
  if (/^(?:[0-9a-f]{2})+$/i.test(key)) return Buffer.from(key, 'hex');
  if (/^[A-Za-z0-9+/_-]{43,}={0,2}$/.test(key)) return Buffer.from(key, 'base64');
  return Buffer.from(key, 'utf8');
}
