import { addressAnchors } from './addresses.ts';
import type { Anchor, Hit } from './anchor.ts';
import { assignmentAnchors } from './assignment.ts';
import { createAlphabet } from './characters.ts';
import { documentAnchors } from './documents.ts';
import { headerAnchors } from './headers.ts';
import { NAMED } from './named.ts';
import { namedAnchors } from './named-anchors.ts';
import { tokenAnchors } from './token-anchors.ts';
import { TOKENS } from './tokens.ts';

/** What to look for to find secrets by their form: tokens of known providers, keys, passwords in settings and addresses. */
export function patternAnchors(): { readonly anchors: readonly Anchor[]; readonly sets: number } {
  const alphabet = createAlphabet();
  const anchors = [
    ...TOKENS.flatMap((rule) => tokenAnchors(rule, alphabet)),
    ...namedAnchors(NAMED, alphabet),
    ...assignmentAnchors(alphabet),
    ...headerAnchors(alphabet),
    ...addressAnchors(alphabet),
    ...documentAnchors(alphabet),
  ];
  return { anchors, sets: alphabet.size() };
}

/** One after the other: of those that overlap the vault's own first, then a named provider, then the longest; together they cover what all covered. */
export function disjoint(hits: readonly Hit[]): Hit[] {
  const sorted = hits.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const result: Hit[] = [];
  for (const hit of sorted) {
    const last = result.at(-1);
    if (!last || hit.start >= last.end) result.push(hit);
    else result[result.length - 1] = { ...better(last, hit), start: last.start, end: Math.max(last.end, hit.end) };
  }
  return result;
}

function better(a: Hit, b: Hit): Hit {
  return rank(b) > rank(a) || (rank(b) === rank(a) && b.end - b.start > a.end - a.start) ? b : a;
}

const NAMED_PROVIDERS = new Set(NAMED.map(({ provider }) => provider));
const GENERIC = new Set(['generic-api-key', 'password', 'authorization-header', 'curl-auth-header', 'curl-auth-user', 'sk-api-key', 'jwt']);

function rank({ known, provider, identifier }: Hit): number {
  if (known) return 4;
  if (identifier) return 0;
  return GENERIC.has(provider) ? 1 : NAMED_PROVIDERS.has(provider) ? 2 : 3;
}
