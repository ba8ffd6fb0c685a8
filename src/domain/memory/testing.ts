import type { Embed } from './embedding.ts';

/** An embedding model for tests: texts that share words point the same way. Says how often it was asked. */
export function wordEmbedder(model = 'words-1', dimensions = 64): { readonly embed: Embed; readonly asked: string[][] } {
  const asked: string[][] = [];
  return {
    asked,
    async embed(texts) {
      asked.push([...texts]);
      return { model, vectors: texts.map((text) => vectorOf(text, dimensions)) };
    },
  };
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const values = new Float32Array(dimensions).fill(0.01);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7;
    for (const letter of word) hash = (hash * 31 + letter.codePointAt(0)!) % 1_000_003;
    values[hash % dimensions]! += 1;
  }
  return values;
}
