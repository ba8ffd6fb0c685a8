import type { Manifest } from './manifest.ts';

/** What is worth a second look before an install: names that look like another's, grants that together carry things out. */
export function warningsOf(manifest: Manifest, known: readonly string[]): string[] {
  const { name, grants, hosts } = manifest;
  const alike = known.filter((other) => other !== name && looksLike(name, other));
  const reads = grants.includes('memory:read') || grants.includes('skill:call');
  const leaves = grants.includes('net:fetch') || grants.includes('net:post');
  return [
    ...alike.map((other) => `Its name looks like "${other}", which you have already: make sure it is the one you want`),
    ...(reads && leaves ? ['It can read what you keep and reach hosts outside: what it reads could be sent there'] : []),
    ...hosts.filter((host) => host.startsWith('*.')).map((host) => `"${host}" is every host below that domain`),
  ];
}

/** One letter more, less or other, or characters that are read alike. */
function looksLike(a: string, b: string): boolean {
  const plain = (text: string): string =>
    text.replaceAll('_', '').replaceAll(/[1l|]/g, 'i').replaceAll('0', 'o').replaceAll('rn', 'm').replaceAll('vv', 'w');
  return plain(a) === plain(b) || isOneEditAway(a, b);
}

function isOneEditAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a.length < 4) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const rest = (text: string, from: number): string => text.slice(from);
  return rest(a, at + 1) === rest(b, at + 1) || rest(a, at) === rest(b, at + 1) || rest(a, at + 1) === rest(b, at);
}
