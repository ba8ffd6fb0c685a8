/** Shannon entropy of a text, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at += 1) counts.set(text.charCodeAt(at), (counts.get(text.charCodeAt(at)) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Whether a text looks drawn rather than written: it has a digit, or changes its case more often than words do. */
export function looksDrawn(text: string): boolean {
  return /\d/.test(text) || (text.match(/[a-z][A-Z]/g)?.length ?? 0) >= 4;
}

/** What stands for a secret in documents: crosses, `your-token-here`, the alphabet in order, a template's hole, a stand-in of ours. */
export function isStandIn(text: string): boolean {
  return STAND_IN.test(text) || hasSequence(text, 8) || isHole(text) || isRepeated(text);
}

const STAND_IN =
  /x{6}|\*{4}|\.{4}|0{10}|(?:your|my|insert|replace|change|enter|put)[\w-]{0,12}?[_-]?(?:key|token|secret|password|here|me|this|it)\b|example(?:$|[^a-z])|placeholder|\[(?:secret|redacted):|^@secret:|^randomstring|dummy|redacted|changeit/i;

/** `${…}`, `$NAME`, `{{…}}`, `<…>`, `[…]`, `%NAME%`, `$(…)`, `process.env.X`. */
function isHole(text: string): boolean {
  return /^(?:\$[A-Za-z_]\w*$|\$[{(]|\{\{|<|\[|%[A-Za-z_]+%$|#\{|@[\w.]+@$|env[.:(]|process\.env|os\.(?:environ|getenv)|getenv|secrets?\.|vars?\.|self\.|this\.)|\{\{|\$\{/.test(
    text,
  );
}

/** Whether characters go up one by one (`12345678`, `abcdefgh`) at least this long. */
export function hasSequence(text: string, length: number): boolean {
  let run = 1;
  for (let at = 1; at < text.length; at += 1) {
    run = text.charCodeAt(at) === text.charCodeAt(at - 1) + 1 ? run + 1 : 1;
    if (run >= length) return true;
  }
  return false;
}

/** Few different characters for its length: `aaaaaaaa`, `abababab`. */
function isRepeated(text: string): boolean {
  if (text.length < 8) return false;
  const [first, lower] = [text[0]!.toLowerCase(), text.toLowerCase()];
  let second: string | null = null;
  for (const letter of lower) {
    if (letter === first || letter === second) continue;
    if (second !== null) return false;
    second = letter;
  }
  return true;
}
