/** Shorter values are not looked for: they would take ordinary words out of every text. */
export const SHORTEST_REDACTED = 6;

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
