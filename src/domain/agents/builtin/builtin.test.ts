import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reply, Script } from '#llm/testing';
import type { TurnEvent } from '../contract.ts';
import { endOf, setup, type BedOptions } from '../testbed.ts';
import type { Toolbox, ToolCall, ToolOutcome } from '../tools.ts';
import { fit } from './window.ts';

interface Bench extends Toolbox {
  readonly calls: (ToolCall & { readonly seen: readonly string[] })[];
}

/** Tools `look` and `add` that answer as they are told. */
function toolbox(answer: (call: ToolCall, signal: AbortSignal) => Promise<Partial<ToolOutcome>>): Bench {
  const calls: Bench['calls'] = [];
  const spec = (name: string) => ({ name, description: name, inputSchema: { type: 'object', properties: { at: { type: 'string' } } } });
  return {
    calls,
    open: async () => ({
      specs: [spec('look'), spec('add')],
      async call(call, seen, signal) {
        calls.push({ ...call, seen: [...seen].toSorted() });
        const outcome = await answer(call, signal);
        signal.throwIfAborted();
        return { output: 'done', isError: false, labels: [], ...outcome };
      },
    }),
  };
}

/** Replies in their order; after the last one the model says `finished`. */
const inOrder =
  (...replies: Reply[]): Script =>
  (_request, index) =>
    replies[index] ?? { text: 'finished' };

async function talk(options: BedOptions) {
  const bed = await setup(options);
  const workspace = (await bed.workspaces.list())[0]!;
  const { id } = await bed.conversations.add({ workspaceId: workspace.id });
  return { ...bed, events: await bed.say(id, 'Do it') };
}

const results = (events: readonly TurnEvent[]) => events.filter((it) => it.type === 'tool_result');

describe('the tool loop', () => {
  it('performs what the model calls, side by side, gives it the results in the order of its calls, and goes on to the answer', async () => {
    const both = Promise.withResolvers<void>();
    const box = toolbox(async ({ name }) => {
      if (box.calls.length === 2) both.resolve();
      await both.promise; // would never come if one waited for the other
      return { output: `${name} done` };
    });
    await using bed = await talk({
      toolboxes: [box],
      script: inOrder({
        text: 'Let me see.',
        toolCalls: [
          { name: 'look', input: { at: 'a' } },
          { name: 'add', input: { at: 'b' } },
        ],
      }),
    });
    const { status, message, receipt } = endOf(bed.events);
    assert.equal(status, 'succeeded');
    assert.equal(message.text, 'Let me see.finished');
    assert.deepEqual(
      message.parts.map(({ type }) => type).filter((type) => type !== 'reasoning'),
      ['text', 'tool_call', 'tool_call', 'tool_result', 'tool_result', 'text'],
    );
    const second = bed.fake.requests[1]!;
    assert.match(JSON.stringify(second.body), /look done.*add done/s);
    assert.ok(receipt!.usage.outputTokens > 0 && receipt!.costUsd > 0);
    const first = bed.fake.requests[0]!.body as { tools: { function: { name: string } }[] };
    assert.deepEqual(
      first.tools.map((tool) => tool.function.name),
      ['look', 'add'],
    );
  });

  it('tells the model what went wrong, and lets it mend that', async () => {
    const box = toolbox(async ({ input }) =>
      (input as { at: string }).at === 'good'
        ? { output: 'found' }
        : { output: '{"error":{"code":"skill.bad_config"}}', isError: true, code: 'skill.bad_config' },
    );
    await using bed = await talk({
      toolboxes: [box],
      script: inOrder({ toolCalls: [{ name: 'look', input: { at: 'bad' } }] }, { toolCalls: [{ name: 'look', input: { at: 'good' } }] }),
    });
    assert.equal(endOf(bed.events).status, 'succeeded');
    assert.deepEqual(
      results(bed.events).map(({ isError }) => isError),
      [true, false],
    );
    assert.match(JSON.stringify(bed.fake.requests[1]!.body), /skill\.bad_config/);
  });

  it('ends after the third failure of the same call, with a report', async () => {
    const again = { toolCalls: [{ name: 'look', input: { at: 'x' } }] };
    const box = toolbox(async () => ({ output: 'no such place', isError: true }));
    await using bed = await talk({ toolboxes: [box], script: () => again });
    const { status, message } = endOf(bed.events);
    assert.equal(status, 'succeeded');
    assert.match(message.text, /look failed 3 times in the same way: no such place/);
    assert.equal(bed.fake.requests.length, 3);
  });

  it('ends at a tool that is not there, with a report, and performs nothing of that answer', async () => {
    const box = toolbox(async () => ({}));
    await using bed = await talk({
      toolboxes: [box],
      script: () => ({
        toolCalls: [
          { name: 'look', input: {} },
          { name: 'rm_rf', input: {} },
        ],
      }),
    });
    assert.match(endOf(bed.events).message.text, /"rm_rf", a tool that is not there/);
    assert.deepEqual(box.calls, []);
  });

  it('a model that calls for ever is stopped', async () => {
    const box = toolbox(async () => ({}));
    await using bed = await talk({
      toolboxes: [box],
      script: (_request, index) => ({ toolCalls: [{ name: 'look', input: { at: String(index) } }] }),
    });
    assert.match(endOf(bed.events).message.text, /without coming to an answer/);
    assert.equal(bed.fake.requests.length, 40);
  });

  it('what a tool brought taints later calls and the answer', async () => {
    const box = toolbox(async ({ name }) => ({ labels: name === 'look' ? ['untrusted'] : [] }));
    await using bed = await talk({
      toolboxes: [box],
      script: inOrder({ toolCalls: [{ name: 'look', input: {} }] }, { toolCalls: [{ name: 'add', input: {} }] }),
    });
    assert.deepEqual(
      box.calls.map(({ seen }) => seen),
      [['owner'], ['owner', 'untrusted']],
    );
    assert.deepEqual(endOf(bed.events).message.labels, ['untrusted']);
    assert.ok((await bed.runs.get(endOf(bed.events).message.runId)).labels.includes('untrusted'));
  });

  it('a cancelled turn ends the tool, and keeps what had arrived', async () => {
    const begun = Promise.withResolvers<void>();
    let aborted = false;
    const box = toolbox(async (_call, signal) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = true;
      return {};
    });
    await using bed = await setup({ toolboxes: [box], script: inOrder({ text: 'First', toolCalls: [{ name: 'look', input: {} }] }) });
    const { id } = await bed.conversations.add({ workspaceId: (await bed.workspaces.list())[0]!.id });
    const said = bed.say(id, 'Do it');
    await begun.promise;
    await bed.turns.cancel(id);
    const { status, message } = endOf(await said);
    assert.deepEqual([status, message.text, aborted], ['cancelled', 'First', true]);
  });

  it('a conversation of the OpenAI-compatible API that brings its own tools gets its calls back, and ours stay out of it', async () => {
    const box = toolbox(async () => ({}));
    await using bed = await setup({ toolboxes: [box], script: () => ({ toolCalls: [{ name: 'theirs', input: {} }] }) });
    const workspace = (await bed.workspaces.list())[0]!;
    const assistant = await bed.assistants.get(workspace.defaultAssistantId);
    const types: string[] = [];
    const ask = {
      workspace,
      assistant,
      history: [],
      text: 'x',
      origin: { kind: 'api' },
      labels: [],
      signal: AbortSignal.timeout(5_000),
    } as const;
    const tools = [{ name: 'theirs', description: '', inputSchema: { type: 'object' } }];
    for await (const { type } of bed.agents.oneShot({ ...ask, options: { tools } })) types.push(type);
    assert.deepEqual(types, ['tool_call', 'end']);
    assert.deepEqual(box.calls, []);
  });
});

describe('the window of a turn', () => {
  const result = (id: string, size: number) => ({
    role: 'user' as const,
    parts: [{ type: 'tool_result' as const, id, name: 'look', output: id.repeat(size) }],
  });
  const sizes = (messages: ReturnType<typeof fit>): number[] =>
    messages.map(({ parts: [part] }) => (part as { output: string }).output.length);

  it('shortens older results and leaves the newest whole, without touching what it was given', () => {
    const all = Array.from({ length: 6 }, (_, i) => result(String(i), 1_000));
    const before = JSON.stringify(all);
    const view = fit(all, 3_000);
    assert.ok(sizes(view)[0]! < 600 && sizes(view)[1]! < 600);
    assert.deepEqual(sizes(view).slice(2), [1_000, 1_000, 1_000, 1_000]);
    assert.equal(JSON.stringify(all), before);
    assert.equal(fit(all, 1_000_000), all);
  });
});
