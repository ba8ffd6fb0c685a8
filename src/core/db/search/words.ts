/** Longer words are cut: nobody types them, and a base64 blob should not fill the index. */
const LONGEST_WORD = 64;

/** More words than this say nothing new about a question. */
const MOST_QUERY_WORDS = 24;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** Scripts written without spaces between words; looked up by pairs of letters. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;

/**
 * The words of a text as both engines index them: lower case, without the accents of Latin, Greek and Cyrillic, and
 * runs of a script without spaces as overlapping pairs. Holds letters, digits and marks only, so it can carry no syntax.
 */
export function wordsOf(text: string): string[] {
  const folded = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase();
  const words: string[] = [];
  for (const [word] of folded.matchAll(WORD)) {
    let at = 0;
    for (const run of word.matchAll(UNSPACED)) {
      if (run.index > at) words.push(word.slice(at, run.index));
      words.push(...pairsOf(run[0]));
      at = run.index + run[0].length;
    }
    if (at < word.length) words.push(word.slice(at, at + LONGEST_WORD));
  }
  return words;
}

/** Each letter with its next one; the last stands alone, so that a single letter is found as the beginning of a pair. */
function pairsOf(run: string): string[] {
  const letters = Array.from(run);
  return letters.map((letter, index) => `${letter}${letters[index + 1] ?? ''}`);
}

/** One word of a question. */
export interface QueryWord {
  readonly word: string;
  /** Stands for every word that begins so: the last one, which may not be typed to its end. */
  readonly isPrefix: boolean;
}

/** The distinct words of a question, in order. */
export function queryWords(text: string): readonly QueryWord[] {
  const all = wordsOf(text);
  const last = all.at(-1);
  return [...new Set(all)]
    .slice(0, MOST_QUERY_WORDS)
    .map((word) => ({ word, isPrefix: word === last && /\p{L}$/u.test(word) && (word.length > 2 || /\P{ASCII}/u.test(word)) }));
}
