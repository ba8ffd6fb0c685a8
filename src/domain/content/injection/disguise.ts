import { revealText } from '../hidden.ts';
import type { Disguise } from './features.ts';

/** One reading of a text: as it stands, or of what it hides. */
export interface Reading {
  readonly text: string;
  readonly disguises: readonly Disguise[];
}

const LONGEST_DECODED = 20_000;
const MOST_DECODED = 50;

/** A text as it stands without invisible characters, and what it hides in them, in comments, in styles, in base64 and in ROT13. */
export function readingsOf(text: string): Reading[] {
  const { text: seen, hidden } = revealText(text);
  const readings: Reading[] = [{ text: seen, disguises: [] }];
  for (const { kind, sample, count } of hidden) {
    if (kind === 'tag' || kind === 'variation') readings.push({ text: sample, disguises: ['x_hidden', 'x_letters'] });
    else if (kind === 'zero_width' && count > 20) readings.push({ text: seen.slice(0, 400), disguises: ['x_hidden'] });
  }
  for (const said of commentsIn(seen)) readings.push({ text: said, disguises: ['x_comment'] });
  for (const [, said] of seen.matchAll(HIDDEN_STYLE)) readings.push({ text: said!, disguises: ['x_style'] });
  let decoded = 0;
  for (const [word] of seen.matchAll(/[A-Za-z0-9+/_-]{24,}={0,2}/g)) {
    if (decoded >= MOST_DECODED) break;
    const said = plainBase64(word);
    if (said === null) continue;
    decoded += 1;
    readings.push({ text: said, disguises: ['x_base64'] });
  }
  if (/rot-?13/i.test(seen)) readings.push({ text: rot13(seen.slice(0, LONGEST_DECODED)), disguises: ['x_rot13'] });
  return readings;
}

/** An element whose own style hides it, as far as its first markup. */
const HIDDEN_STYLE =
  /style\s?=\s?["'][^"'<>]{0,200}(?:display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?[01](?:px|pt|em|;|"|')|opacity\s?:\s?0[;"'.]|color\s?:\s?(?:#fff\b|#ffffff|white|transparent))[^"'<>]{0,200}["'][^<>]{0,200}>([^<]{4,2000})/gi;

/** What stands in HTML comments; one that is not closed goes on to the end. */
function commentsIn(text: string): string[] {
  const comments: string[] = [];
  for (let at = text.indexOf('<!--'); at !== -1;) {
    const end = text.indexOf('-->', at + 4);
    comments.push(text.slice(at + 4, end === -1 ? undefined : end));
    at = end === -1 ? -1 : text.indexOf('<!--', end);
  }
  return comments;
}

function plainBase64(word: string): string | null {
  const said = Buffer.from(word.slice(0, LONGEST_DECODED), 'base64').toString('utf8');
  if (said.length < 12) return null;
  let odd = 0;
  for (const char of said) if (char === '\uFFFD' || (char < ' ' && char !== '\n' && char !== '\t' && char !== '\r')) odd += 1;
  return odd === 0 && /\p{L} \p{L}/u.test(said) ? said : null;
}

function rot13(text: string): string {
  return text.replaceAll(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}
