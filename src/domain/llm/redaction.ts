import { mapTexts, type Json } from '#core/json';

/** Takes secrets out of text; the vault's redactor. */
export interface Scanner {
  redact(text: string): string;
  json?(value: Json): Json;
  /**
   * For a text that comes in pieces: what of it may be let go from `from` on, and where what is held back begins; without it the last
   * word is held back.
   */
  part?(text: string, from: number): { readonly ready: string; readonly held: number };
}

/** Longer than any key; a longer text is let go rather than kept for ever. */
const LONGEST_HELD = 32_768;
/** What was let go is still read with what follows: a key is often known by the words before it. */
const CONTEXT = 256;

/** A stream of text with its secrets taken out, those that are cut by the borders of its chunks included. */
export interface StreamRedactor {
  push(chunk: string): string;
  /** What was held back. */
  end(): string;
}

export function createStreamRedactor(scanner: Scanner): StreamRedactor {
  const part = scanner.part ?? ((text, from) => lastWordHeld(scanner, text, from));
  /** What was let go lately, then what is held back from `from` on. */
  let text = '';
  let from = 0;

  function letGo(ready: string, held: number): string {
    const start = Math.max(0, held - CONTEXT);
    text = text.slice(start);
    from = held - start;
    return ready;
  }

  return {
    push(chunk) {
      text += chunk;
      const { ready, held } = part(text, from);
      return text.length - held > LONGEST_HELD ? this.end() : letGo(ready, held);
    },
    end() {
      // a line end is no part of any secret: nothing is held back before it
      const whole = part(`${text}\n`, from);
      const ready = whole.held > text.length ? whole.ready.replace(/\n$/, '') : whole.ready + scanner.redact(text.slice(whole.held));
      return letGo(ready, text.length);
    },
  };
}

function lastWordHeld(scanner: Scanner, text: string, from: number): { ready: string; held: number } {
  const held = Math.max(from, text.length - lastWordLength(text));
  return { ready: scanner.redact(text.slice(from, held)), held };
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
  return scanner.json?.(value) ?? mapTexts(value, (text) => scanner.redact(text));
}
