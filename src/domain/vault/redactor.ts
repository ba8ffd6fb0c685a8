/** Shorter values are not looked for: they would take ordinary words out of every text. */
export const SHORTEST_REDACTED = 6;

/** Takes known secrets out of texts, by value, in whatever common encoding they appear. */
export interface Redactor {
  /** The text with each secret as `[secret:name]`; a text without one is returned as it is. */
  redact(text: string): string;
  /** The names of the secrets in a text. */
  find(text: string): readonly string[];
  /** How many characters at the end of a text may be the beginning of a secret, for texts that come in pieces. */
  pending(text: string): number;
}

/** A redactor whose secrets can change: the vault keeps it current. */
export interface LiveRedactor extends Redactor {
  load(secrets: Iterable<{ readonly name: string; readonly value: string }>): void;
}

export function createRedactor(): LiveRedactor {
  let pattern: RegExp | null = null;
  let names = new Map<string, string>();
  let byFirst = new Map<string, string[]>();
  let longest = 0;

  return {
    load(secrets) {
      names = new Map();
      for (const { name, value } of secrets) {
        if (value.length >= SHORTEST_REDACTED) for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name);
      }
      pattern = names.size === 0 ? null : alternation([...names.keys()]);
      byFirst = Map.groupBy(names.keys(), (form) => form[0]!);
      longest = Math.max(0, ...[...names.keys()].map((form) => form.length));
    },
    redact: (text) => (pattern === null ? text : text.replace(pattern, (form) => `[secret:${names.get(form)}]`)),
    pending(text) {
      for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
        const forms = byFirst.get(text[at]!);
        if (forms?.some((form) => form.length > text.length - at && form.startsWith(text.slice(at)))) return text.length - at;
      }
      return 0;
    },
    find: (text) => (pattern === null ? [] : [...new Set(Array.from(text.matchAll(pattern), ([form]) => names.get(form)!))]),
  };
}

/** The longest first, so that a secret that begins with another is taken whole. */
function alternation(forms: readonly string[]): RegExp {
  return new RegExp(
    forms
      .toSorted((a, b) => b.length - a.length)
      .map(RegExp.escape)
      .join('|'),
    'g',
  );
}

/** A value as it may appear: itself, in JSON, URLs, HTML, hex, and inside any base64 (RFC 4648, both alphabets). */
export function formsOf(value: string): Set<string> {
  const bytes = Buffer.from(value);
  const url = encodeURIComponent(value.toWellFormed()); // it throws at half a surrogate pair
  const hex = bytes.toString('hex');
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    url,
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams([['', value]]).toString().slice(1),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    hex,
    hex.toUpperCase(),
    ...insideBase64(bytes),
  ];
  return new Set(forms.filter((form) => form.length >= SHORTEST_REDACTED));
}

/** The characters that any base64 of a text with these bytes in it must hold, at each of the three alignments. */
function insideBase64(bytes: Buffer): string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    for (const alphabet of ['base64', 'base64url'] as const) forms.push(whole.toString(alphabet).slice(from, to));
  }
  return forms;
}
