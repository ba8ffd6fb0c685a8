import { STOP_WORDS } from './stop-words.ts';

/** Scripts that put no space between words; Intl.Segmenter knows their dictionaries but is slow, so only they go through it. */
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Made once: thousands of them would weigh on the garbage collector. */
const WORD_SEGMENTER = new Intl.Segmenter('und', { granularity: 'word' });
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;

/** The meaningful words of a text in their order: lower case, stop words left out, plurals made singular. */
export function wordsOf(text: string): string[] {
  return rawWords(text).flatMap((word) => (STOP_WORDS.has(word) || (word.length < 2 && !SPACELESS.test(word)) ? [] : [singular(word)]));
}

function rawWords(text: string): string[] {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]s?\b/g, ' ');
  const found = plain.match(WORD) ?? [];
  if (!SPACELESS.test(plain)) return found;
  return found.flatMap((run) => (SPACELESS.test(run) ? Array.from(WORD_SEGMENTER.segment(run), ({ segment }) => segment) : [run]));
}

/** A light touch (Harman's S-stemmer, 1991), harmless in the other languages. */
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.slice(0, -1);
}

const ABBREVIATION =
  /(?:^|\s)(?:\p{Lu}|e\.g|i\.e|etc|vs|dr|mr|mrs|ms|prof|st|no|vol|fig|ca|z\.\s?b|d\.\s?h|bzw|usw|nr|p\.\s?ex|sr|sra|approx|inc|ltd|co)\.\s*$/iu;
/** Text without full stops (tables, transcripts) is cut into pieces of this many characters. */
const LONGEST_SENTENCE = 1000;
/** The segmenter reads all of what it is given at once. */
const LONGEST_PARAGRAPH = 20_000;
const LIST_ITEM = /^\s*(?:[-*•#>]|\d+[.)])\s/;

/** The sentences of a text in their order. Lines of a paragraph are joined first: a mail's line breaks end no sentence. Markup is dropped. */
export function* sentencesOf(text: string): Generator<string> {
  const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });
  for (const paragraph of paragraphsOf(text)) {
    for (const part of slicesOf(paragraph, LONGEST_PARAGRAPH)) {
      let pending = '';
      for (const { segment } of segmenter.segment(part)) {
        pending += segment;
        if (pending.length < LONGEST_SENTENCE && ABBREVIATION.test(pending.slice(-12))) continue;
        yield* slicesOf(pending, LONGEST_SENTENCE);
        pending = '';
      }
      yield* slicesOf(pending, LONGEST_SENTENCE);
    }
  }
}

function* paragraphsOf(text: string): Generator<string> {
  let paragraph = '';
  for (const line of text.split(/\r?\n/)) {
    const starts = LIST_ITEM.test(line);
    if ((line.trim() === '' || starts) && paragraph) {
      yield paragraph;
      paragraph = '';
    }
    const plain = line
      .replace(LIST_ITEM, '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/\*\*|__|`/g, '')
      .trim();
    paragraph = paragraph ? `${paragraph} ${plain}` : plain;
  }
  if (paragraph) yield paragraph;
}

/** A text in trimmed pieces of at most so many characters, cut at spaces where there are some. */
export function* slicesOf(text: string, longest: number): Generator<string> {
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + longest);
    const space = to < text.length ? text.lastIndexOf(' ', to) : -1;
    if (space > from) to = space;
    const piece = text.slice(from, to).trim();
    if (piece) yield piece;
    from = to;
  }
}
