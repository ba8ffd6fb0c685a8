import { AppError } from '../errors.ts';

const LONGEST_TEXT = 4_096;
const LONGEST_LIST = 50;
const DEEPEST = 6;

/** Makes what is logged safe to read and small: no secret by key, by shape or by value, no endless object. */
export interface Cleaner {
  text(text: string): string;
  fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** `scan` knows secrets by their value. */
export function createCleaner(scan: (text: string) => string): Cleaner {
  function text(raw: string): string {
    const whole = maskShapes(scan(raw));
    return whole.length <= LONGEST_TEXT ? whole : `${whole.slice(0, LONGEST_TEXT)}… (${whole.length} characters)`;
  }

  function value(raw: unknown, depth: number): unknown {
    switch (typeof raw) {
      case 'string':
        return text(raw);
      case 'bigint':
      case 'symbol':
        return String(raw);
      case 'function':
        return `[function ${raw.name}]`;
      case 'object':
        return raw === null ? null : object(raw, depth);
      default:
        return raw;
    }
  }

  function object(raw: object, depth: number): unknown {
    if (depth > DEEPEST) return '[deeper]';
    if (raw instanceof Error) return error(raw, depth);
    if (raw instanceof Date) return Number.isNaN(raw.getTime()) ? 'Invalid Date' : raw.toISOString();
    if (raw instanceof URL) return text(raw.href);
    if (ArrayBuffer.isView(raw)) return `[${raw.byteLength} bytes]`;
    if (raw instanceof Map) return record(raw, depth);
    if (Array.isArray(raw) || raw instanceof Set) return list([...raw], depth);
    if ('toJSON' in raw && typeof raw.toJSON === 'function') return value(raw.toJSON(), depth + 1);
    return record(Object.entries(raw), depth);
  }

  function list(raw: readonly unknown[], depth: number): unknown[] {
    const kept = raw.slice(0, LONGEST_LIST).map((each) => value(each, depth + 1));
    return raw.length > LONGEST_LIST ? [...kept, `… ${raw.length - LONGEST_LIST} more`] : kept;
  }

  function record(entries: Iterable<readonly [unknown, unknown]>, depth: number): Record<string, unknown> {
    const all = [...entries];
    const kept = all.slice(0, LONGEST_LIST).map(([key, each]) => {
      const name = String(key);
      return [text(name), isSecretKey(name) && each !== null && each !== undefined ? '[redacted]' : value(each, depth + 1)];
    });
    return Object.fromEntries(kept) as Record<string, unknown>;
  }

  /** What an AppError says is enough; anything else is a bug and needs its stack. */
  function error(raw: Error, depth: number): Record<string, unknown> {
    const code = (raw as { code?: unknown }).code;
    return {
      type: raw.name,
      ...(code !== undefined && { code: value(code, depth + 1) }),
      message: text(raw.message),
      ...(raw instanceof AppError && Object.keys(raw.details).length > 0 && { details: value(raw.details, depth + 1) }),
      ...(!(raw instanceof AppError) && raw.stack !== undefined && { stack: text(raw.stack) }),
      ...(raw.cause !== undefined && { cause: value(raw.cause, depth + 1) }),
    };
  }

  return { text, fields: (fields) => record(Object.entries(fields), 0) };
}

const SECRET_WORDS = new Set(
  'password passwd passphrase secret token authorization cookie cookies credential credentials otp totp pin'.split(' '),
);
const SECRET_PAIRS = new Set('api key,private key,master key,access key,secret key,signing key,encryption key,session id'.split(','));

/** Whether a key names a secret by its last words: `botToken`, `x-api-key`; not `maxTokens` or `tokenCount`. */
export function isSecretKey(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  const last = words.at(-1) ?? '';
  return SECRET_WORDS.has(last) || SECRET_PAIRS.has(words.slice(-2).join(' ')) || last === 'apikey';
}

/** Hides credentials by where they stand in a text: the user of an address, a query's token, an Authorization header. */
function maskShapes(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/?#@"']+@/gi, '$1[redacted]@')
    .replace(/([?&](?:[a-z_-]*(?:token|secret|password|key|signature|sig|code))=)[^&\s"'#]+/gi, '$1[redacted]')
    .replace(/\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, '$1 [redacted]');
}
