import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFakeLlm, type FakeError, type Reply } from './fake-llm.ts';
import type { LlmEvent } from './contract.ts';
import { setup } from './testbed.ts';

const LONG = 'A sentence that takes a while to arrive. '.repeat(20);

describe('falling back', () => {
  const failures: readonly { title: string; reply: Reply; reason: string }[] = [
    ...(['rate_limited', 'quota', 'auth', 'server', 'overloaded', 'model_missing', 'bad_request'] as const).map((error: FakeError) => ({
      title: `on ${error}`,
      reply: { error },
      reason: error === 'overloaded' ? 'server' : error,
    })),
    { title: 'on a time-out', reply: { delayMs: Infinity }, reason: 'timeout' },
    {
      title: 'on a dropped connection, when the answer is read whole',
      reply: { text: LONG, fault: { after: 5, how: 'drop' } },
      reason: 'protocol',
    },
  ];
  for (const { title, reply, reason } of failures) {
    it(`${title} the next provider answers, and the reason is in the journal`, async () => {
      await using t = await setup();
      await t.provider('First', { priority: 1, timeoutMs: reason === 'timeout' ? 100 : 5_000 });
      await t.provider('Second', { priority: 2 });
      t.fake.reply(reply, { text: 'Second here' });
      const { text, receipt } = await t.ask();
      assert.equal(text, 'Second here');
      assert.equal(receipt.provider, 'Second');
      assert.deepEqual(receipt.hops, [{ provider: 'First', reason }]);
      assert.deepEqual(
        t.hops().map((it) => [it.provider, it.reason]),
        [['First', reason]],
      );
    });
  }

  it('on a refused connection', async () => {
    await using t = await setup();
    const gone = await startFakeLlm();
    await gone.close();
    await t.provider('Gone', { priority: 1, baseUrl: gone.url });
    await t.provider('There', { priority: 2 });
    assert.deepEqual((await t.ask()).receipt.hops, [{ provider: 'Gone', reason: 'refused' }]);
  });

  it('on a key that is not in the vault, without a call', async () => {
    await using t = await setup();
    await t.provider('Keyless', { priority: 1, secret: '@secret:lost' });
    await t.provider('There', { priority: 2 });
    const { receipt } = await t.ask();
    assert.deepEqual(receipt.hops, [{ provider: 'Keyless', reason: 'auth' }]);
    assert.equal(t.fake.requests.length, 1);
  });

  it('ends offline, saying so', async () => {
    await using t = await setup();
    await t.provider('Down', {});
    t.fake.reply({ error: 'server' });
    const { receipt, text } = await t.ask();
    assert.equal(receipt.offline, true);
    assert.equal(receipt.costUsd, 0);
    assert.ok(text.length > 0);
    assert.deepEqual(receipt.hops, [{ provider: 'Down', reason: 'server' }]);
  });

  it('fails where offline is forbidden', async () => {
    await using t = await setup();
    await t.provider('Down', {});
    t.fake.reply({ error: 'server' });
    await assert.rejects(t.ask({ allowOffline: false }), { code: 'llm.failed' });
  });

  it('says that there is no provider, where offline is forbidden', async () => {
    await using t = await setup();
    await assert.rejects(t.ask({ allowOffline: false }), { code: 'llm.no_provider' });
  });

  it('does not go on in another voice when its reader has seen the beginning', async () => {
    await using t = await setup();
    await t.provider('First', { priority: 1 });
    await t.provider('Second', { priority: 2 });
    t.fake.reply({ text: LONG, fault: { after: 5, how: 'drop' } });
    let text = '';
    const read = async () => {
      for await (const event of t.scoped().stream({ prompt: 'Hi', signal: AbortSignal.timeout(5_000) }))
        if (event.type === 'text') text += event.text;
    };
    await assert.rejects(
      read,
      (error: { code: string; details: { partial: boolean } }) => error.code === 'llm.failed' && error.details.partial,
    );
    assert.ok(text.length > 0 && LONG.startsWith(text));
    assert.equal(t.fake.requests.length, 1);
  });

  it('does not try others when cancelled', async () => {
    await using t = await setup();
    await t.provider('First', { priority: 1 });
    await t.provider('Second', { priority: 2 });
    t.fake.reply({ delayMs: Infinity });
    const stop = new AbortController();
    const asking = assert.rejects(t.ask({ signal: stop.signal }), { name: 'AbortError' });
    await t.fake.request(0);
    stop.abort();
    await asking;
    assert.equal(t.fake.requests.length, 1);
  });
});

describe('tiers', () => {
  it('go by priority, then by name', async () => {
    await using t = await setup();
    await t.provider('B', { priority: 5 });
    await t.provider('A', { priority: 5 });
    await t.provider('C', { priority: 1 });
    t.fake.reply({ error: 'server' }, { error: 'server' });
    assert.deepEqual(
      (await t.ask()).receipt.hops.map((it) => it.provider),
      ['C', 'A'],
    );
  });

  it('never choose heavy by themselves', async () => {
    await using t = await setup();
    await t.provider('Opus', { tiers: ['heavy'], model: 'claude-opus-5-5' });
    for (const tier of ['light', 'medium', 'local'] as const) assert.equal((await t.ask({ tier })).receipt.offline, true);
    assert.equal((await t.ask({ tier: 'heavy' })).receipt.provider, 'Opus');
  });

  it('local never touches an address that is not private, wherever the name points', async () => {
    await using t = await setup({
      resolve: async (host) => (host === 'box.lan.test' ? ['127.0.0.1'] : host === 'split.test' ? ['127.0.0.1', '93.184.216.34'] : []),
    });
    const local = { kind: 'compatible' as const, tiers: ['local' as const], secret: null };
    await t.provider('Cloud', { ...local, baseUrl: 'https://93.184.216.34', priority: 1 });
    await t.provider('Split', { ...local, baseUrl: 'http://split.test', priority: 2 });
    await t.provider('Unknown', { ...local, baseUrl: 'http://unknown.test', priority: 3 });
    await t.provider('Here', { ...local, priority: 4 });
    const { receipt } = await t.ask({ tier: 'local' });
    assert.equal(receipt.provider, 'Here');
    assert.deepEqual(
      receipt.hops.map((it) => it.reason),
      ['not_local', 'not_local', 'not_local'],
    );
  });

  it('local with a provider by name holds to local', async () => {
    await using t = await setup();
    await t.provider('Cloud', { kind: 'compatible', baseUrl: 'https://93.184.216.34' });
    const { receipt } = await t.ask({ tier: 'local', provider: 'Cloud' });
    assert.equal(receipt.offline, true);
    assert.deepEqual(receipt.hops, [{ provider: 'Cloud', reason: 'not_local' }]);
  });

  it('leave out what is disabled, keyless or cannot use tools', async () => {
    await using t = await setup();
    await t.provider('Off', { enabled: false });
    await t.provider('Keyless', { secret: null });
    await t.provider('Able', { priority: 200 });
    const tools = [{ name: 'weather', description: 'The weather', inputSchema: { type: 'object' } }];
    const { receipt, toolCalls } = await t.ask({ tools, prompt: 'CALL: weather {"city": "Rome"}' });
    assert.deepEqual(receipt.hops, [{ provider: 'Keyless', reason: 'no_key' }]);
    assert.deepEqual(
      toolCalls.map((it) => [it.name, it.input]),
      [['weather', { city: 'Rome' }]],
    );
  });
});

describe('precedence', () => {
  async function bed() {
    const t = await setup();
    await t.provider('Light', { tiers: ['light'], priority: 1 });
    await t.provider('Medium', { tiers: ['medium'] });
    await t.provider('Named', { tiers: [] });
    return t;
  }

  it('is step, then workflow, then skill, then the default tier', async () => {
    await using t = await bed();
    const who = async (request: object, defaults: object[]) => (await t.ask(request, {}, defaults)).receipt.provider;
    assert.equal(await who({ tier: 'medium' }, [{ provider: 'Named' }, { tier: 'light' }]), 'Medium');
    assert.equal(await who({}, [{ provider: 'Named' }, { tier: 'medium' }]), 'Named');
    assert.equal(await who({}, [{}, { tier: 'medium' }]), 'Medium');
    assert.equal(await who({}, []), 'Light');
    assert.equal(await who({ provider: 'Named', tier: 'medium' }, []), 'Named');
  });

  it('takes auto and empty for no choice', async () => {
    await using t = await bed();
    assert.equal((await t.ask({ provider: 'auto', model: '' }, {}, [{ provider: 'Named' }])).receipt.provider, 'Named');
  });

  it('takes a model only with the provider it was chosen for', async () => {
    await using t = await bed();
    assert.equal(
      (await t.ask({ provider: 'Named' }, {}, [{ provider: 'Light', model: 'claude-sonnet-5' }])).receipt.model,
      'claude-haiku-4-5',
    );
    assert.equal((await t.ask({ model: 'claude-sonnet-5' }, {}, [{ provider: 'Named' }])).receipt.model, 'claude-sonnet-5');
  });

  it('finds who has a model asked for alone', async () => {
    await using t = await bed();
    await t.provider('Sonnet', { tiers: [], model: 'claude-sonnet-5' });
    assert.equal((await t.ask({ model: 'claude-sonnet-5' })).receipt.provider, 'Sonnet');
  });

  it('tries only the provider named, then offline', async () => {
    await using t = await bed();
    t.fake.reply({ error: 'server' });
    const { receipt } = await t.ask({ provider: 'Named' });
    assert.equal(receipt.offline, true);
    assert.equal(t.fake.requests.length, 1);
    assert.deepEqual((await t.ask({ provider: 'Nobody' })).receipt.hops, [{ provider: 'Nobody', reason: 'unknown_provider' }]);
  });
});

describe('secrets', () => {
  const scanner = { redact: (text: string) => text.replaceAll('hunter2-hunter2', '[secret:pw]') };

  it('are taken out of what is sent', async () => {
    await using t = await setup({ scanner });
    await t.provider('P');
    await t.ask({
      system: 'The password is hunter2-hunter2',
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'hunter2-hunter2?' }] }],
    });
    assert.ok(!JSON.stringify(t.fake.requests[0]?.body).includes('hunter2-hunter2'));
  });

  it('are taken out of what streams back, however it is cut', async () => {
    await using t = await setup({ scanner });
    await t.provider('P');
    for (const chunks of [1, 3, 7, 13, 60]) {
      t.fake.reply({ text: 'It is hunter2-hunter2, I think. 密码是hunter2-hunter2。', chunks });
      const events: LlmEvent[] = [];
      for await (const event of t.scoped().stream({ prompt: 'Well?', signal: AbortSignal.timeout(5_000) })) events.push(event);
      const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
      assert.equal(text, 'It is [secret:pw], I think. 密码是[secret:pw]。');
    }
  });

  it('are taken out of tool calls', async () => {
    await using t = await setup({ scanner });
    await t.provider('P');
    t.fake.reply({ toolCalls: [{ name: 'post', input: { body: ['hunter2-hunter2'] } }] });
    assert.deepEqual(
      (await t.ask({ tools: [{ name: 'post', description: 'Post', inputSchema: { type: 'object' } }] })).toolCalls[0]?.input,
      { body: ['[secret:pw]'] },
    );
  });
});
