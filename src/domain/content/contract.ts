import { z } from 'zod';

/** How text was kept from a reader's eyes. */
export const HiddenKind = z.enum(['tag', 'variation', 'zero_width', 'bidi', 'control', 'invisible', 'comment', 'style']);
export type HiddenKind = z.infer<typeof HiddenKind>;

export const Hidden = z.object({
  kind: HiddenKind,
  count: z.number(),
  /** What was hidden, as far as it can be read; at most 500 characters. */
  sample: z.string(),
});
export type Hidden = z.infer<typeof Hidden>;

/** How much a text looks as if it gave orders to a model; it decides nothing by itself. */
export const InjectionScore = z.object({
  /** 0 to 1. */
  score: z.number(),
  /** In plain words, the weightiest first. */
  reasons: z.array(z.string()),
});
export type InjectionScore = z.infer<typeof InjectionScore>;
