import { z } from 'zod';
import { AnyJson } from '#core/json';
import { skill, type Skill } from '../contract.ts';
import { gatherNews, type GatherDeps } from '../news/gather.ts';
import { asJson, Items } from '../news/items.ts';
import { gatherOptions } from '../news/options.ts';

/** What is new in feeds of any format. An item is new until a run that took it has succeeded. */
export function rssFetch(deps: GatherDeps): Skill {
  return skill({
    name: 'rss_fetch',
    title: 'Fetch feeds',
    description: 'Reads RSS, Atom, RDF and JSON feeds and hands on the items that no successful run has had before.',
    config: z.strictObject({
      maxItems: z.int().min(1).max(1_000).default(20).describe('The newest so many are handed on; the others wait for the next run'),
      ...gatherOptions,
    }),
    input: AnyJson,
    output: Items,
    outcomes: ['on_items', 'on_empty'],
    grants: ['net:fetch', 'file:read', 'memory:read', 'memory:write'],
    external: true,
    timeoutMs: 180_000,
    stepFields: ['config'],
    presets: {
      'Last 24 hours': { config: { recentHours: 24, maxItems: 20 } },
      'Last two days': { config: { recentHours: 48, maxItems: 30 } },
      'Last week, all again': { config: { recentHours: 168, maxItems: 50, force: true } },
    },
    async run({ config, context }) {
      const { items, onRunSucceeded } = await gatherNews(config, deps, context);
      return { outcome: items.length > 0 ? 'on_items' : 'on_empty', output: asJson(items), onRunSucceeded };
    },
  });
}
