import type { Json } from '#core/json';

/** Fields that a skill's output keeps its words in, the likeliest first. */
const FIELDS = ['markdown', 'text', 'summary', 'message', 'content', 'answer'] as const;

/** The words of an output, as Markdown; null when it is data. */
export function textOf(output: Json | null): string | null {
  if (typeof output === 'string') return output.trim() === '' ? null : output;
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return null;
  const fields = output as { readonly [key: string]: Json };
  for (const field of FIELDS) {
    const value = fields[field];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return null;
}
