import { z } from 'zod';
import { AnyJson } from '#core/json';
import { skill, type Skill } from '../contract.ts';
import { gatherNews, type GatherDeps } from '../news/gather.ts';
import { asJson, Items } from '../news/items.ts';
import { gatherOptions } from '../news/options.ts';
import { scoreItems, scoreOptions } from '../news/score.ts';
import { send, sendOptions } from '../sending.ts';

/** `rss_fetch`, `llm_score` and `notify` as one step. */
export function rssCollector(deps: GatherDeps): Skill {
  return skill({
    name: 'rss_collector',
    title: 'Collect news',
    description: 'Reads feeds, rates what is new by the owner’s interests, hands on the best and, if told to, sends them.',
    config: z.strictObject({
      ...gatherOptions,
      ...scoreOptions,
      maxItems: scoreOptions.maxItems.default(5),
      threshold: scoreOptions.threshold.default(0.7),
      maxScored: z.int().min(1).max(1_000).default(40).describe('The newest so many are rated; the others wait for the next run'),
      notify: z.boolean().default(false).describe('Send the items to the owner as well'),
      ...sendOptions,
    }),
    input: AnyJson,
    output: Items,
    outcomes: ['on_items', 'on_empty'],
    grants: ['net:fetch', 'file:read', 'llm:call', 'memory:read', 'memory:write', 'channel:send'],
    external: true,
    timeoutMs: 300_000,
    stepFields: ['tier', 'provider', 'model', 'config'],
    presets: {
      'Best five': { config: { maxItems: 5, threshold: 0.7 } },
      'Best ten, sent': { config: { maxItems: 10, threshold: 0.5, notify: true, title: 'News' } },
    },
    async run({ config, context }) {
      const { items, onRunSucceeded } = await gatherNews({ ...config, maxItems: config.maxScored }, deps, context);
      const best = items.length > 0 ? await scoreItems(items, config, context) : [];
      if (config.notify && best.length > 0) await send(asJson(best), config, context);
      return { outcome: best.length > 0 ? 'on_items' : 'on_empty', output: asJson(best), onRunSucceeded };
    },
  });
}
