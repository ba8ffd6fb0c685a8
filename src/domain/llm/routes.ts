import { route, type Route } from '#core/endpoint';
import {
  addProvider,
  changeProvider,
  getProvider,
  getUsage,
  grantExtraBudget,
  listBudgets,
  listModels,
  listProviders,
  removeProvider,
  setBudget,
  testProvider,
} from './api.ts';
import type { Llm } from './llm.ts';

export function llmRoutes(llm: Llm): readonly Route[] {
  return [
    route(listProviders, async () => ({ items: await llm.list(), next: null })),
    route(getProvider, ({ id }) => llm.get(id)),
    route(addProvider, (input) => llm.add(input)),
    route(changeProvider, ({ id, ...patch }) => llm.change(id, patch)),
    route(removeProvider, async ({ id }) => {
      await llm.remove(id);
      return { ok: true as const };
    }),
    route(testProvider, ({ id }, { signal }) => llm.test(id, signal)),
    route(listModels, ({ provider }, { signal }) => llm.models({ provider, signal })),
    route(getUsage, (query) => llm.usage(query)),
    route(listBudgets, async () => ({ items: await llm.budgets() })),
    route(setBudget, ({ scope, key, limitUsd }) => llm.setBudget(scope, key, limitUsd)),
    route(grantExtraBudget, ({ scope, key, usd }) => llm.grantExtra(scope, key, usd)),
  ];
}
