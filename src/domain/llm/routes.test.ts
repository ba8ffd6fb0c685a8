import assert from 'node:assert/strict';
import { it } from 'node:test';
import { llmRoutes } from './routes.ts';
import { setup } from './testbed.ts';

it('every endpoint takes its input and gives what it says', async () => {
  await using t = await setup();
  const routes = llmRoutes(t.llm);
  const request = { caller: { id: 'owner', grants: new Set(['*']) }, signal: AbortSignal.timeout(10_000) };
  const call = async (method: string, path: string, input: object = {}): Promise<Record<string, unknown>> => {
    const { endpoint, handle } = routes.find((it) => it.endpoint.method === method && it.endpoint.path === path)!;
    return endpoint.output.parse(await handle(endpoint.input.parse(input) as never, request)) as Record<string, unknown>;
  };
  const { id } = await call('POST', '/api/providers', {
    name: 'P',
    kind: 'anthropic',
    baseUrl: t.fake.url,
    model: 'claude-haiku-4-5',
    tiers: ['light'],
    secret: '@secret:key',
  });
  assert.equal((await call('PUT', '/api/providers/{id}', { id, priority: 3 }))['priority'], 3);
  assert.equal((await call('GET', '/api/providers/{id}', { id }))['priority'], 3);
  assert.equal((await call('POST', '/api/providers/{id}/test', { id }))['ok'], true);
  assert.deepEqual((await call('GET', '/api/models', { provider: 'P' }))['offered'], ['fake-1', 'fake-2']);
  assert.equal(((await call('GET', '/api/usage', { by: 'model' }))['items'] as { key: string }[])[0]?.key, 'claude-haiku-4-5');
  assert.equal((await call('PUT', '/api/budgets', { scope: 'day', limitUsd: 5 }))['limitUsd'], 5);
  assert.deepEqual(
    [
      (await call('POST', '/api/budgets/extra', { scope: 'day', usd: 1 }))['extraUsd'],
      (await t.llm.budgets()).find((it) => it.scope === 'day')?.limitUsd,
    ],
    [1, 5],
  );
  assert.equal(((await call('GET', '/api/budgets'))['items'] as unknown[]).length, 5);
  await call('DELETE', '/api/providers/{id}', { id });
  assert.deepEqual((await call('GET', '/api/providers'))['items'], []);
  assert.equal(routes.length, 11);
});
