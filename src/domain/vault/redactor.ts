import type { Json } from '#core/json';
import type { Redact } from '#core/redact';
import { formsOf, SHORTEST_REDACTED } from './forms.ts';
import { placeholderOf } from './placeholders.ts';
import type { Anchor, Hit } from './scanner/anchor.ts';
import { createMatcher, type Matcher } from './scanner/matcher.ts';
import { disjoint, patternAnchors } from './scanner/scanner.ts';

/**
 * The one choke point: finds the vault's own secrets by value, in whatever common encoding they appear, and anybody's by their form,
 * in one pass. Called as a function it is `redact`.
 */
export interface Redactor extends Redact {
  /** The text with each secret as `[secret:name]` or `[redacted:provider]`; a text without one is returned as it is. */
  redact(text: string): string;
  json(value: Json): Json;
  /** The same for a text that may be JSON, which stays JSON: for whoever stores or sends it without looking inside. */
  stored(text: string): string;
  /** What is in a text, in its order, none over another; what only names an account (`identifier`) included. */
  scan(text: string): readonly Hit[];
  /** The secrets in the value of a field: `password` before a text says much about it. */
  inField(name: string, text: string): readonly Hit[];
  /** The names of the vault's own secrets in a text. */
  find(text: string): readonly string[];
  /** How many characters at the end of a text may be the beginning of a secret, for texts that come in pieces. */
  pending(text: string): number;
  /**
   * For a text that comes in pieces: what may be let go of it from `from` on, clean, and where what is held back begins. What
   * stands before `from` was let go already and is read as context.
   */
  part(text: string, from: number): { readonly ready: string; readonly held: number };
}

/** A redactor whose secrets can change: the vault keeps it current. */
export interface LiveRedactor extends Redactor {
  load(secrets: Iterable<{ readonly name: string; readonly value: string }>): void;
}

/** A field's value is read with its name before it when it is no longer than this. */
const LONGEST_FIELD = 512;

export function createRedactor(): LiveRedactor {
  let known: readonly Anchor[] = [];
  let patterns: ReturnType<typeof patternAnchors> | null = null;
  let matcher: Matcher | null = null;

  function ready(): Matcher {
    if (matcher) return matcher;
    patterns ??= patternAnchors();
    return (matcher = createMatcher([...known, ...patterns.anchors], patterns.sets));
  }

  function secretsIn(text: string): Hit[] {
    if (text.length < SHORTEST_REDACTED) return [];
    const hits = ready().find(text);
    return hits.length === 0 ? [] : disjoint(hits.filter(({ identifier }) => !identifier));
  }

  function redact(text: string): string {
    const hits = secretsIn(text);
    return hits.length === 0 ? text : replaced(text, hits, 0, text.length);
  }

  function inField(name: string, text: string): Hit[] {
    const alone = secretsIn(text);
    if (alone.length > 0 || name === '' || text.length > LONGEST_FIELD || text.length < SHORTEST_REDACTED) return alone;
    const before = `${name.slice(0, 64)}="`;
    return secretsIn(before + text)
      .filter(({ start }) => start >= before.length)
      .map((hit) => ({ ...hit, start: hit.start - before.length, end: hit.end - before.length }));
  }

  function field(name: string, text: string): string {
    const hits = inField(name, text);
    return hits.length === 0 ? text : replaced(text, hits, 0, text.length);
  }

  function json(value: Json, name = ''): Json {
    if (typeof value === 'string') return field(name, value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((it: Json) => json(it, name));
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [redact(key), json(it as Json, key)]));
  }

  function stored(text: string): string {
    const plain = redact(text);
    if (plain === text || !/^[[{"]/.test(text)) return plain;
    try {
      const clean = JSON.stringify(json(JSON.parse(text) as Json));
      return redact(clean) === clean || !isJson(redact(clean)) ? clean : redact(clean);
    } catch {
      return plain; // it only looked like JSON
    }
  }

  return Object.assign((text: string) => redact(text), {
    stored,
    load(secrets: Iterable<{ readonly name: string; readonly value: string }>) {
      const forms = new Map<string, string>();
      for (const { name, value } of secrets) {
        if (value.length >= SHORTEST_REDACTED) for (const form of formsOf(value)) if (!forms.has(form)) forms.set(form, name);
      }
      known = Array.from(forms, ([form, name]) => knownAnchor(form, name));
      matcher = null;
    },
    redact,
    inField,
    json: (value: Json) => json(value),
    scan: (text: string) => disjoint(ready().find(text)),
    find: (text: string) => [
      ...new Set(
        secretsIn(text)
          .filter((hit) => hit.known)
          .map(({ provider }) => provider),
      ),
    ],
    pending: (text: string) => text.length - ready().scan(text).open,
    part(text: string, from: number) {
      const { hits, open } = ready().scan(text);
      const secrets = disjoint(hits.filter(({ identifier }) => !identifier));
      const held = Math.max(from, Math.min(open, secrets.find(({ start, end }) => start < open && end > open)?.start ?? open));
      return { ready: replaced(text, secrets, from, held), held };
    },
  });
}

/** From `from` to `to`, with a placeholder for each secret that ends after `from` and begins before `to`. */
function replaced(text: string, hits: readonly Hit[], from: number, to: number): string {
  let result = '';
  let at = from;
  for (const hit of hits) {
    if (hit.end <= at || hit.start >= to) continue;
    result += text.slice(at, Math.max(at, hit.start)) + placeholderOf(hit);
    at = hit.end;
  }
  return result + text.slice(at, Math.max(at, to));
}

function knownAnchor(form: string, name: string): Anchor {
  return {
    text: form,
    fold: false,
    visit(reading, at) {
      reading.hit({ start: at, end: at + form.length, provider: name, known: true });
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
