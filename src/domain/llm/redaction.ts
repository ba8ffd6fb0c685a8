import type { Json } from '#core/json';

/** Takes secrets out of text. */
export interface Scanner {
  redact(text: string): string;
  /** How many characters at the end of the text may be the beginning of a secret; without it the last word is. */
  pending?(text: string): number;
}

/** Longer than any key; a longer word is let go rather than kept for ever. */
const LONGEST_HELD = 8_192;

/** A stream of text with its secrets taken out, those that are cut by the borders of its chunks included. */
export interface StreamRedactor {
  push(chunk: string): string;
  /** What was held back. */
  end(): string;
}

export function createStreamRedactor(scanner: Scanner): StreamRedactor {
  let held = '';
  return {
    push(chunk) {
      const text = held + chunk;
      const keep = Math.min(scanner.pending?.(text) ?? lastWordLength(text), LONGEST_HELD);
      held = keep === 0 ? '' : text.slice(-keep);
      const ready = keep === 0 ? text : text.slice(0, -keep);
      return ready === '' ? '' : scanner.redact(ready);
    },
    end() {
      const ready = held;
      held = '';
      return ready === '' ? '' : scanner.redact(ready);
    },
  };
}

/** The last word in printable ASCII: what secrets known by their form are made of. Other scripts flow freely. */
function lastWordLength(text: string): number {
  let at = text.length;
  while (at > 0 && isKeyCharacter(text.charCodeAt(at - 1))) at -= 1;
  return text.length - at;
}

function isKeyCharacter(code: number): boolean {
  return code > 32 && code < 127;
}

/** Every text inside a value. */
export function redactJson(scanner: Scanner, value: Json): Json {
  if (typeof value === 'string') return scanner.redact(value);
  if (Array.isArray(value)) return value.map((it: Json) => redactJson(scanner, it));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, redactJson(scanner, it as Json)]));
}
