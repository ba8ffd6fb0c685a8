import { z } from 'zod';

/** Letters, digits, `.`, `_`, `-`; begins and ends with a letter or digit, so that a reference can stand in a sentence. */
export const SecretName = z
  .string()
  .max(128, 'a secret name has at most 128 characters')
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'a secret name has letters, digits, ".", "_" and "-" only, and begins and ends with a letter or digit',
  );

const KINDS = 'provider|channel|skill|workspace|connection';

/** `any`, or principals separated by commas: `provider:openai, skill:*`. */
export const SecretScope = z
  .string()
  .max(500)
  .refine(
    (text) => text.trim() === 'any' || listed(text).every((each) => new RegExp(`^(${KINDS}):(\\*|[^,*]+)$`).test(each)),
    `scope: write "any", or principals separated by commas, as in "provider:openai, skill:*"; there are ${KINDS.replaceAll('|', ', ')}`,
  )
  .transform((text) => listed(text).join(', ') || 'any');

/** Hosts separated by commas; empty says nothing of hosts. `*.example.com` is every name below it; `http://` before one lets the value go unencrypted. */
export const SecretHosts = z
  .string()
  .max(1_000)
  .refine(
    (text) =>
      listed(text).every((each) => /^(http:\/\/)?(\*\.)?[a-z0-9.-]+(:\d{1,5})?$|^(http:\/\/)?\[[0-9a-f:]+\](:\d{1,5})?$/i.test(each)),
    'hosts: write names separated by commas, as in "api.github.com, *.example.com, localhost:8080"',
  )
  .transform((text) => listed(text.toLowerCase()).join(', '));

function listed(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}

/** Whether a scope lets one of these principals use the secret. */
export function covers(scope: string, principals: readonly string[]): boolean {
  return listed(scope).some(
    (each) =>
      each === 'any' ||
      principals.some((principal) => each === principal || (each.endsWith(':*') && principal.startsWith(each.slice(0, -1)))),
  );
}

/** Whether a value may be sent to an address; over plain http only where the pattern says so, or to this machine. */
export function hostAllowed(hosts: string, url: URL): boolean {
  return listed(hosts).some((each) => {
    const isPlainOk = each.startsWith('http://') || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
    const pattern = each.replace('http://', '');
    const isName = pattern === url.host || (pattern.startsWith('*.') && url.host.endsWith(pattern.slice(1)));
    return isName && (url.protocol === 'https:' || (url.protocol === 'http:' && isPlainOk));
  });
}
