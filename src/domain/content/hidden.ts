import type { HiddenKind, Hidden } from './contract.ts';

/** Text as a reader sees it, and what a reader would not have seen. */
export interface Revealed {
  readonly text: string;
  readonly hidden: readonly Hidden[];
}

const LONGEST_SAMPLE = 500;

/**
 * Takes out of a text what has no place in it and no look of its own: tag characters, bytes in variation selectors, zero-width
 * characters between ordinary letters, bidi overrides, controls. What scripts and emoji need stays: joiners inside Arabic, Indic
 * and emoji sequences, direction marks, flags, one variation selector. One pass; what was spelt in invisible characters is told, decoded.
 */
export function revealText(text: string): Revealed {
  if (!SUSPECT.test(text) && text.isWellFormed()) return { text, hidden: [] };
  const found = new Map<HiddenKind, { count: number; sample: string }>();
  const note = (kind: HiddenKind, said: string): void => {
    const known = found.get(kind) ?? { count: 0, sample: '' };
    found.set(kind, { count: known.count + 1, sample: known.sample.length < LONGEST_SAMPLE ? known.sample + said : known.sample });
  };
  const out: string[] = [];
  const points = Array.from(text.toWellFormed());
  for (let at = 0; at < points.length; at += 1) {
    const point = points[at]!;
    if (!SUSPECT.test(point)) {
      out.push(point);
      continue;
    }
    const code = point.codePointAt(0)!;
    if (point === FLAG) {
      const end = endOfFlag(points, at);
      out.push(...points.slice(at, end));
      at = end - 1;
      continue;
    }
    if (code === 0x2028 || code === 0x2029 || code === 0x0b || code === 0x0c || code === 0x85) {
      out.push('\n');
      continue;
    }
    const kind = kindOf(code);
    if (kind === null || isAtHome(code, out.at(-1) ?? '', points[at + 1] ?? '')) out.push(point);
    else note(kind, spelt(code));
  }
  return {
    text: out.join(''),
    hidden: [...found].map(([kind, { count, sample }]) => ({ kind, count, sample: sample.slice(0, LONGEST_SAMPLE) })),
  };
}

const FLAG = '\u{1F3F4}';
const SUSPECT =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\u{1D173}-\u{1D17A}\u{1F3F4}\u{E0000}-\u{E01EF}]/u;

function kindOf(code: number): HiddenKind | null {
  if (code >= 0xe0000 && code <= 0xe007f) return 'tag';
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return 'variation';
  if (code === 0x202d || code === 0x202e) return 'bidi';
  if ((code >= 0x200b && code <= 0x200d) || code === 0x2060 || code === 0xfeff) return 'zero_width';
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return 'control';
  if (code === 0x061c || (code >= 0x200e && code <= 0x200f) || (code >= 0x202a && code <= 0x202c) || (code >= 0x2066 && code <= 0x2069))
    return null; // direction marks and isolates: ordinary in Arabic and Hebrew, and they change no letter
  return 'invisible';
}

const SPACELESS =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Balinese}]/u;
/** Scripts whose letters join or stack, and so are written with joiners. */
const JOINING =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Thaana}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Thai}\p{Script=Lao}\p{Script=Javanese}\p{Script=Balinese}\p{Script=Meetei_Mayek}\p{Script=Chakma}]/u;
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\u{FE0F}\u{20E3}\u{E007F}]/u;
const HAN = /[\p{Script=Han}\u3007]/u;

/** Whether an invisible character does its proper work between its neighbours. After another invisible one it does not. */
function isAtHome(code: number, before: string, after: string): boolean {
  if (code === 0x200d) return (PICTURE.test(before) && /\p{Extended_Pictographic}/u.test(after)) || JOINING.test(before);
  if (code === 0x200c) return JOINING.test(before);
  if (code === 0x200b) return SPACELESS.test(before) && SPACELESS.test(after);
  if (code >= 0xfe00 && code <= 0xfe0f) return before !== '' && !/[a-z\s\p{Cf}\p{Cc}\u{FE00}-\u{FE0F}\u{E0000}-\u{E01EF}]/iu.test(before);
  if (code >= 0xe0100) return HAN.test(before);
  if (code >= 0x180b && code <= 0x180f) return /\p{Script=Mongolian}/u.test(before);
  return false;
}

/** Behind a black flag: the letters of a region and the mark that ends them, as England's has; else nothing. */
function endOfFlag(points: readonly string[], start: number): number {
  let at = start + 1;
  while (at - start <= 7 && /^[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]$/u.test(points[at] ?? '')) at += 1;
  return at - start >= 4 && points[at] === '\u{E007F}' ? at + 1 : start + 1;
}

/** What a character that hides text stands for. */
function spelt(code: number): string {
  if (code >= 0xe0020 && code <= 0xe007e) return String.fromCharCode(code - 0xe0000);
  const byte = code >= 0xe0100 ? code - 0xe0100 + 16 : code >= 0xfe00 && code <= 0xfe0f ? code - 0xfe00 : -1;
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '';
}
