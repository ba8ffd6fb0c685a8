import { CONCEPTS, PHRASES, VERBS } from './lexicon.ts';

const LEAST_BEGINNING = 3;
const LONGEST_BEGINNING = 14;
const LONGEST_RUN = 6;
/** Longer words are data, not language. */
const LONGEST_WORD = 40;

/** The lexicon, ready to be asked. */
export interface Lexicon {
  readonly whole: ReadonlyMap<string, readonly string[]>;
  readonly beginnings: ReadonlyMap<string, readonly string[]>;
  readonly phrases: ReadonlyMap<string, readonly string[]>;
  /** What a request begins with. */
  readonly verbs: ReadonlySet<string>;
}

export function buildLexicon(): Lexicon {
  const whole = new Map<string, string[]>();
  const beginnings = new Map<string, string[]>();
  const phrases = new Map<string, string[]>();
  const put = (map: Map<string, string[]>, key: string, concept: string): void => {
    const there = map.get(key) ?? [];
    if (!there.includes(concept)) map.set(key, [...there, concept]);
  };
  for (const [concept, words] of Object.entries(CONCEPTS))
    for (const word of words.split(' ')) {
      if (word.endsWith('*')) put(beginnings, fold(word.slice(0, -1)), concept);
      else if (SPACELESS.test(word)) put(beginnings, word, concept);
      else put(whole, fold(word), concept);
    }
  for (const [concept, list] of Object.entries(PHRASES)) for (const phrase of list.split('|')) put(phrases, fold(phrase), `p_${concept}`);
  return { whole, beginnings, phrases, verbs: new Set(VERBS.split(' ').map(fold)) };
}

const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Lower case, compatibility forms unfolded, accents off Latin letters. */
function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/(?<=[a-z])\p{M}/gu, '')
    .normalize('NFC');
}

/** Letters of other alphabets that pass for Latin ones. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwкkмmтtвbнhгrпnαaοoρpνvιiκkτtυuεeηn'.matchAll(/(.)(.)/gu), ([, from, to]) => [from!, to!]),
);
const LEET: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't' };

/** A word without its disguise: letters of several alphabets in one word, digits for letters. */
function unmask(word: string): { readonly word: string; readonly masked: 'homoglyph' | 'leet' | null } {
  if (/[a-z]/.test(word)) {
    if (/[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word))
      return { word: Array.from(word, (it) => LOOKALIKES[it] ?? it).join(''), masked: 'homoglyph' };
    if (
      /^[a-z013457]+$/.test(word) &&
      /[013457]/.test(word) &&
      /[a-z][013457]+[a-z]|^[013457][a-z]|[a-z][013457]+[a-z013457]*$/.test(word) &&
      word.length > 2
    )
      return { word: Array.from(word, (it) => LEET[it] ?? it).join(''), masked: 'leet' };
  }
  return { word, masked: null };
}

export interface Words {
  readonly words: readonly string[];
  readonly masked: readonly ('homoglyph' | 'leet')[];
}

/** Words of a text, undisguised; single letters with spaces between are one word. */
export function wordsIn(text: string): Words {
  const words: string[] = [];
  const masked: ('homoglyph' | 'leet')[] = [];
  let spelt = '';
  const flush = (): void => {
    if (spelt.length >= 4) words.push(spelt);
    else words.push(...spelt);
    spelt = '';
  };
  for (const [raw] of fold(text).matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (raw.length > LONGEST_WORD && !SPACELESS.test(raw)) continue;
    const it = unmask(raw);
    if (it.masked) masked.push(it.masked);
    if (it.word.length === 1 && /[a-z]/.test(it.word)) {
      spelt += it.word;
      continue;
    }
    flush();
    words.push(it.word);
  }
  flush();
  return { words, masked };
}

/** The concepts a word speaks of. At most a dozen look-ups. */
export function conceptsOf(lexicon: Lexicon, word: string, add: (concept: string) => void): void {
  lexicon.whole.get(word)?.forEach(add);
  if (SPACELESS.test(word)) {
    const points = Array.from(word);
    for (let at = 0; at < points.length; at += 1)
      for (let size = 1; size <= LONGEST_RUN && at + size <= points.length; size += 1)
        lexicon.beginnings.get(points.slice(at, at + size).join(''))?.forEach(add);
    return;
  }
  const longest = Math.min(LONGEST_BEGINNING, word.length);
  for (let size = LEAST_BEGINNING; size <= longest; size += 1) lexicon.beginnings.get(word.slice(0, size))?.forEach(add);
}
