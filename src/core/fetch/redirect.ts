import { AppError } from '../errors.ts';

/** One hop of a request: redirects make the next one. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  readonly allowPrivate: boolean;
}

/** What may be told to another origin; anything else may be a credential, whatever its name. */
const HARMLESS = new Set(['accept', 'accept-encoding', 'accept-language', 'if-none-match', 'if-modified-since', 'range', 'user-agent']);

/** Reads an address to fetch: absolute, http or https, without a password in it. */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url) throw new AppError('invalid', 'fetch.bad_url', 'The address is not a URL; expected one like https://example.com/feed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError('invalid', 'fetch.bad_url', `An address that starts with "${url.protocol}" is not fetched; only http and https are`);
  }
  if (url.username || url.password) {
    throw new AppError('invalid', 'fetch.bad_url', 'The address holds a user name or password; send an Authorization header instead', {
      host: url.host,
    });
  }
  url.hash = '';
  return url;
}

/** Where a redirect leads, or null when the answer is none (RFC 9110 section 15.4). */
export function redirectTarget(status: number, location: string | null): string | null {
  if (location === null || ![301, 302, 303, 307, 308].includes(status)) return null;
  return Buffer.from(location, 'latin1').toString('utf8');
}

/** The request that follows a redirect. Another origin is told nothing that could be a credential, and gets no body. */
export function nextHop(hop: Hop, status: number, url: URL): Hop {
  const sameOrigin = url.origin === hop.url.origin;
  const toGet = (status === 303 && hop.method !== 'HEAD') || (status <= 302 && hop.method === 'POST');
  const body = toGet ? null : hop.body;
  if (body !== null && !sameOrigin) {
    throw new AppError('forbidden', 'fetch.blocked', `${hop.url.host} asks to send the request body on to ${url.host}`, { host: url.host });
  }
  const headers = Object.entries(hop.headers).filter(
    ([name]) => (sameOrigin || HARMLESS.has(name)) && !(toGet && name.startsWith('content-')),
  );
  return {
    url,
    method: toGet ? 'GET' : hop.method,
    headers: Object.fromEntries(headers),
    body,
    allowPrivate: hop.allowPrivate && url.host === hop.url.host,
  };
}
