// Counts what a text is made of. It asks for nothing: what it is given is all it sees.
import { skill } from '#skill';

interface Config {
  readonly top: number;
  readonly minLength: number;
  readonly wordsPerMinute: number;
}

export default skill<string | { readonly text: string }, Config>({
  run({ input, config: { top, minLength, wordsPerMinute } }) {
    const text = typeof input === 'string' ? input : input.text;
    const words = [...segments(text, 'word')].map((word) => word.toLocaleLowerCase());
    const times = new Map<string, number>();
    for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
    const frequent = [...times]
      .filter(([word]) => [...word].length >= minLength)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, top)
      .map(([word, count]) => ({ word, times: count }));
    return {
      outcome: words.length > 0 ? 'on_success' : 'on_empty',
      output: {
        words: words.length,
        distinctWords: times.size,
        sentences: [...segments(text, 'sentence')].filter((it) => it.trim() !== '').length,
        paragraphs: text.split(/\n\s*\n/).filter((it) => it.trim() !== '').length,
        characters: [...text].length,
        readingMinutes: Math.round((words.length / wordsPerMinute) * 10) / 10,
        frequent,
      },
    };
  },
});

/** Words or sentences by the rules of Unicode, so that languages without spaces are counted too. */
function* segments(text: string, granularity: 'word' | 'sentence'): Generator<string> {
  for (const { segment, isWordLike } of new Intl.Segmenter(undefined, { granularity }).segment(text))
    if (granularity === 'sentence' || isWordLike) yield segment;
}
