import { z } from 'zod';
import { skill } from '../contract.ts';
import { asJson, Items, ItemsIn } from '../news/items.ts';
import { scoreItems, scoreOptions } from '../news/score.ts';

/** Many items in one call; without a model they are scored by the words they share with the interests. */
export const llmScore = skill({
  name: 'llm_score',
  title: 'Score by interest',
  description: 'Rates items by the owner’s interests, drops what is below the threshold and hands on the best, best first.',
  config: z.strictObject(scoreOptions),
  input: ItemsIn,
  output: Items,
  outcomes: ['on_items', 'on_empty'],
  grants: ['llm:call'],
  external: false,
  timeoutMs: 180_000,
  asTool: false,
  stepFields: ['tier', 'provider', 'model', 'config'],
  presets: {
    News: { config: { threshold: 0.3, maxItems: 10 } },
    Strict: { config: { threshold: 0.7, maxItems: 5 } },
    'Ranking only': { config: { threshold: 0, maxItems: 50 } },
  },
  async run({ config, input, context }) {
    const kept = input.length > 0 ? await scoreItems(input, config, context) : [];
    return { outcome: kept.length > 0 ? 'on_items' : 'on_empty', output: asJson(kept) };
  },
});
