const LONGEST_UNIT = 400;

/** Sentences, lines and fields of a text; what has no end is cut. Together they are the text. */
export function unitsOf(text: string): string[] {
  const units: string[] = [];
  let start = 0;
  const cut = (end: number): void => {
    const unit = text.slice(start, end);
    if (/[\p{L}\p{N}]/u.test(unit)) units.push(unit);
    start = end;
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    const isEnd = char === '\n' || '。！？।؟'.includes(char) || ('.!?;'.includes(char) && /[\s"'”’)\]]/.test(text[at + 1] ?? ' '));
    if (isEnd || at - start >= LONGEST_UNIT) cut(at + 1);
  }
  cut(text.length);
  return units;
}
