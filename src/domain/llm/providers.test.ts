import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { onEveryEngine } from '#core/db/testing';
import { createPrices } from './prices.ts';
import { createLocality } from './reach.ts';
import { pickModels, toBaseUrl } from './seeds.ts';
import { llmMigrations } from './tables.ts';
import { NOON, setup, until } from './testbed.ts';

onEveryEngine('llm providers', (open) => {
  it('are added, changed, kept and removed', async () => {
    await using t = await setup({ store: await open(llmMigrations) });
    const changes: string[] = [];
    t.bus.subscribe('llm.provider_changed', ({ change }) => void changes.push(change), new AbortController().signal);
    const { id } = await t.provider('P', {
      headers: { 'x-team': 'a' },
      options: { thinking: false, num_ctx: 8192 },
      price: { inputPerMTok: 1, outputPerMTok: 2 },
      dailyCallLimit: 7,
      embeddingModel: 'e',
    });
    const changed = await t.llm.change(id, { name: 'Q', tiers: ['medium', 'local'] });
    await t.start();
    assert.deepEqual(await t.llm.get(id), changed);
    assert.deepEqual(
      [changed.name, changed.tiers, changed.options, changed.headers],
      ['Q', ['medium', 'local'], { thinking: false, num_ctx: 8192 }, { 'x-team': 'a' }],
    );
    await t.llm.remove(id);
    assert.deepEqual(await t.llm.list(), []);
    assert.deepEqual(changes, ['added', 'changed', 'removed']);
  });
});

describe('a provider', () => {
  it('is refused with the field that is wrong', async () => {
    await using t = await setup();
    await t.provider('P');
    await assert.rejects(t.provider('P'), { code: 'llm.provider_exists' });
    await assert.rejects(t.provider('offline'), { code: 'input.invalid' });
    await assert.rejects(t.provider('X', { secret: 'sk-plain-text-key' }), { code: 'input.invalid' });
    await assert.rejects(t.provider('X', { baseUrl: 'file:///etc/passwd' }), { code: 'input.invalid' });
    await assert.rejects(t.provider('X', { model: '' }), { code: 'llm.provider_incomplete' });
    await assert.rejects(t.provider('X', { kind: 'compatible', baseUrl: null }), { code: 'llm.provider_incomplete' });
    await assert.rejects(t.llm.get('nope'), { code: 'llm.provider_not_found' });
    await assert.rejects(t.llm.change('nope', {}), { code: 'llm.provider_not_found' });
  });

  it('whose row cannot be read is left out and told of; the others work', async () => {
    await using t = await setup();
    const { id } = await t.provider('Broken', { priority: 1 });
    await t.provider('Fine', { priority: 2 });
    await t.store.write((tx) => tx.updateTable('llm_provider').set({ tiers: '[nonsense' }).where('id', '=', id).execute());
    await t.start();
    assert.equal((await t.ask()).receipt.provider, 'Fine');
    assert.deepEqual(t.told, ['The provider Broken cannot be read']);
  });

  it('sends its key, and its headers with the secrets in them', async () => {
    await using t = await setup();
    await t.provider('P', { headers: { 'x-gateway': '@secret:key' } });
    await t.ask();
    assert.equal(t.fake.requests[0]?.key, 'sk-test-0123456789abcdef');
    assert.equal(t.fake.requests[0]?.headers['x-gateway'], 'sk-test-0123456789abcdef');
    assert.ok(!JSON.stringify([await t.llm.list(), t.journal, await t.ledger()]).includes('sk-test'));
  });

  it('shows its models with prices, and what its endpoint offers', async () => {
    await using t = await setup();
    await t.provider('Claude', { embeddingModel: null });
    await t.provider('Here', { kind: 'compatible', secret: null, model: 'llama', embeddingModel: 'nomic-embed-text' });
    const { items, offered } = await t.llm.models({ signal: AbortSignal.timeout(5_000) });
    assert.deepEqual(
      items.map((it) => [it.provider, it.use, it.model, it.priceSource, it.price?.outputPerMTok]),
      [
        ['Claude', 'chat', 'claude-haiku-4-5', 'table', 5],
        ['Here', 'chat', 'llama', 'free', 0],
        ['Here', 'embedding', 'nomic-embed-text', 'free', 0],
      ],
    );
    assert.deepEqual(offered, []);
    assert.deepEqual((await t.llm.models({ provider: 'Here', signal: AbortSignal.timeout(5_000) })).offered, ['fake-1', 'fake-2']);
  });
});

describe('a fresh install', () => {
  const order = async (t: Awaited<ReturnType<typeof setup>>, tier: 'light' | 'medium' | 'heavy' | 'local') =>
    (await t.llm.list()).filter((it) => it.tiers.includes(tier)).map((it) => it.name);

  it('has the chains, with the cloud enabled by its keys', async () => {
    await using t = await setup();
    await t.llm.seed({ anthropicKey: '@secret:key', anthropicBaseUrl: t.fake.url });
    assert.deepEqual(await order(t, 'light'), ['Gemini Flash', 'Claude Haiku', 'LM Studio', 'Ollama', 'Custom']);
    assert.deepEqual(await order(t, 'medium'), ['Gemini Pro', 'Claude Sonnet', 'LM Studio', 'Ollama', 'Custom']);
    assert.deepEqual(await order(t, 'heavy'), ['Claude Opus', 'LM Studio', 'Ollama', 'Custom']);
    assert.deepEqual(await order(t, 'local'), ['LM Studio', 'Ollama', 'Custom']);
    assert.deepEqual(
      (await t.llm.list()).filter((it) => it.enabled).map((it) => it.name),
      ['Claude Opus', 'Claude Haiku', 'Claude Sonnet'],
    );
    assert.equal((await t.ask()).receipt.provider, 'Claude Haiku');
  });

  it('knows the price of every model it names', async () => {
    await using t = await setup();
    await t.llm.seed({ anthropicKey: '@secret:key', googleKey: '@secret:key', openaiKey: '@secret:key' });
    const { items } = await t.llm.models({ signal: AbortSignal.timeout(5_000) });
    assert.equal(items.length, 10);
    assert.deepEqual(
      items.filter((it) => it.priceSource !== 'table'),
      [],
    );
  });

  it('answers offline without any key', async () => {
    await using t = await setup();
    await t.llm.seed({});
    assert.equal((await t.ask()).receipt.offline, true);
  });

  it('takes a key that comes later into rows nobody has touched, and only those', async () => {
    await using t = await setup();
    await t.llm.seed({});
    const named = async (name: string) => (await t.llm.list()).find((it) => it.name === name)!;
    t.clock.set(NOON + 1);
    await t.llm.change((await named('Claude Opus')).id, { priority: 11 });
    await t.llm.remove((await named('Claude Sonnet')).id);
    await t.llm.seed({ anthropicKey: '@secret:key' });
    assert.deepEqual(
      (await t.llm.list()).filter((it) => it.enabled).map((it) => it.name),
      ['Claude Haiku'],
    );
  });

  it('enables a local server that answers, with the model it lists, and no other', async () => {
    await using t = await setup();
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    await t.llm.seed({ lmstudioHost: t.fake.url, ollamaHost: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
    await t.start();
    const find = async (name: string) => (await t.llm.list()).find((it) => it.name === name)!;
    await until(async () => (await find('LM Studio')).enabled);
    assert.equal((await find('LM Studio')).model, 'fake-1');
    assert.equal((await t.ask({ tier: 'local' })).receipt.provider, 'LM Studio');
    assert.equal((await find('Ollama')).enabled, false);
    silent.closeAllConnections();
    silent.close();
  });

  it('tells embedding models from talking ones', () => {
    assert.deepEqual(pickModels(['nomic-embed-text:latest', 'qwen3:8b']), { model: 'qwen3:8b', embeddingModel: 'nomic-embed-text:latest' });
    assert.deepEqual(pickModels(['text-embedding-bge-m3']), { model: '', embeddingModel: 'text-embedding-bge-m3' });
    assert.deepEqual(pickModels([]), { model: '', embeddingModel: null });
  });

  it('reads hosts as people write them', () => {
    assert.equal(toBaseUrl(undefined, 11434), 'http://127.0.0.1:11434');
    assert.equal(toBaseUrl('0.0.0.0:11434', 11434), 'http://127.0.0.1:11434');
    assert.equal(toBaseUrl('192.168.1.5', 11434), 'http://192.168.1.5:11434');
    assert.equal(toBaseUrl('https://box.lan/', 1234), 'https://box.lan');
  });
});

describe('prices', () => {
  const prices = createPrices(() => ({ inputPerMTok: 100, outputPerMTok: 200 }));
  const vendor = { vendorUrl: 'https://api.anthropic.com', baseUrl: 'http://127.0.0.1:8080', local: true, own: null };
  const usage = { inputTokens: 1_000_000, outputTokens: 1_000_000, cachedInputTokens: 0, reasoningTokens: 0 };

  it("are the vendor's behind a gateway at home, and nothing for a model at home", async () => {
    assert.equal((await prices.of({ ...vendor, model: 'claude-sonnet-5' }, NOON)).costUsd(usage), 12);
    assert.equal((await prices.of({ ...vendor, vendorUrl: null, model: 'claude-sonnet-5' }, NOON)).costUsd(usage), 0);
  });

  it('count what is written to the cache, and expect it', async () => {
    const sonnet = await prices.of({ ...vendor, model: 'claude-sonnet-5' }, NOON);
    assert.equal(sonnet.costUsd({ ...usage, outputTokens: 0, cacheWriteInputTokens: 1_000_000 }), 2.5);
    assert.equal(sonnet.worstUsd(1_000_000, 0), 2.5);
  });

  it('follow the day, the size of the prompt, and the owner', async () => {
    const flash = {
      vendorUrl: 'https://generativelanguage.googleapis.com',
      baseUrl: null,
      local: false,
      model: 'gemini-3.8-flash',
      own: null,
    };
    assert.equal((await prices.of(flash, NOON)).costUsd(usage), 4.5);
    assert.equal((await prices.of(flash, Date.UTC(2027, 0, 2))).costUsd(usage), 9);
    const pro = await prices.of({ ...flash, model: 'gemini-3.1-pro-preview' }, NOON);
    assert.ok(pro.costUsd(usage) > 10 * pro.costUsd({ ...usage, inputTokens: 100_000, outputTokens: 100_000 }));
    assert.equal((await prices.of({ ...flash, own: { inputPerMTok: 1, outputPerMTok: 1 } }, NOON)).costUsd(usage), 2);
  });

  it('are those of the table, cent by cent', async () => {
    const table = await import('@pydantic/genai-prices');
    const count = fc.integer({ min: 0, max: 400_000 });
    const models = [
      ['anthropic', 'claude-opus-5-5', 'https://api.anthropic.com'],
      ['openai', 'gpt-6-sol', 'https://api.openai.com'],
      ['google', 'gemini-3.8-flash', 'https://generativelanguage.googleapis.com'],
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...models),
        count,
        count,
        count,
        async ([providerId, model, vendorUrl], inputTokens, outputTokens, cached) => {
          const cachedInputTokens = Math.min(cached, inputTokens);
          const ours = (await prices.of({ ...vendor, vendorUrl, model }, NOON)).costUsd({
            inputTokens,
            outputTokens,
            cachedInputTokens,
            reasoningTokens: 0,
          });
          const theirs = table.calcPrice(
            { input_tokens: inputTokens, output_tokens: outputTokens, cache_read_tokens: cachedInputTokens },
            model,
            { providerId, timestamp: new Date(NOON) },
          );
          assert.ok(Math.abs(ours - theirs!.total_price) < 1e-9);
        },
      ),
    );
  });

  it('never fail on a count that cannot be', async () => {
    const sonnet = await prices.of({ ...vendor, model: 'claude-sonnet-5' }, NOON);
    assert.ok(
      sonnet.costUsd({ inputTokens: 10, outputTokens: 0, cachedInputTokens: 50, reasoningTokens: 0, cacheWriteInputTokens: 50 }) >= 0,
    );
  });
});

describe('locality', () => {
  it('is judged by address, never by the look of a name', async () => {
    const locality = createLocality(async (host) => (host === 'ollama' ? ['172.18.0.5'] : ['93.184.216.34']));
    for (const url of ['http://127.0.0.1:1234', 'http://localhost:1', 'http://192.168.1.2', 'http://[::1]:11434', 'http://ollama:11434'])
      assert.equal(await locality.is(url), true, url);
    for (const url of [
      'https://api.openai.com',
      'http://8.8.8.8',
      'http://localhost.evil.com',
      'http://169.254.169.254',
      'http://box.local',
    ])
      assert.equal(await locality.is(url), false, url);
  });
});
