import { AppError } from '#core/errors';
import type { FetchRequest, FetchResponse } from '#core/fetch';
import type { Secret } from '#core/secret';
import type { Handles } from './handles.ts';
import type { Borrower } from './lending.ts';

export interface SendingDeps {
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>;
  readonly handles: Handles;
  readonly lend: (name: string, by: Borrower) => Promise<Secret>;
  readonly as: Borrower['as'];
}

/**
 * A fetch that puts the values in for handles: in the path and query of the address, in headers (`Basic user:handle` is encoded here) and in
 * the body, for hosts that the owner named for the secret. Such a request follows no redirect: where it leads was not named.
 * Throws `vault.out_of_scope`, `vault.bad_place`.
 */
export function sendingFetch({ fetch, handles, lend, as }: SendingDeps): SendingDeps['fetch'] {
  return async (request) => {
    const { url, headers = {}, body } = request;
    const bodyText = typeof body === 'string' ? body : null;
    const names = handles.namesIn([url, ...Object.entries(headers).flat(), bodyText ?? ''].join('\n'));
    if (names.length === 0) return fetch(request);
    const to = URL.parse(url);
    if (!to || handles.namesIn(to.host).length > 0 || handles.namesIn(`${to.username}${to.password}`).length > 0)
      throw new AppError(
        'invalid',
        'vault.bad_place',
        'A secret cannot be the host of an address, nor stand before it: send it in a header, the query or the body',
      );
    const values = new Map<string, string>();
    for (const name of names) {
      const lent = await lend(name, { as, purpose: `fetch ${to.host}`, to: url, onlyNamedHosts: true });
      values.set(
        name,
        lent.use((value) => value),
      );
    }
    const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
    const filled: FetchRequest = {
      ...request,
      url: handles.fill(url, values, encodeURIComponent),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fillHeader(handles, value, values)])),
      ...(bodyText !== null && { body: handles.fill(bodyText, values, encoderFor(type)) }),
      maxRedirects: 0,
    };
    return fetch(filled);
  };
}

function fillHeader(handles: Handles, value: string, values: ReadonlyMap<string, string>): string {
  if (handles.namesIn(value).length === 0) return value;
  const filled = handles.fill(value, values);
  if (/[\r\n\0]/.test(filled))
    throw new AppError('invalid', 'vault.bad_place', 'A secret with line breaks cannot stand in a header: set it again without them');
  const basic = /^Basic (.*:.*)$/is.exec(filled);
  return basic ? `Basic ${Buffer.from(basic[1]!).toString('base64')}` : filled;
}

/** As the body is written: within JSON texts, or in a form. */
function encoderFor(contentType: string): (value: string) => string {
  if (/\bjson\b/i.test(contentType)) return (value) => JSON.stringify(value).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(contentType)) return encodeURIComponent;
  return (value) => value;
}
