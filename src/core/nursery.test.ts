import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from './clock.ts';
import { nursery, type Nursery, type NurseryOptions } from './nursery.ts';
import type { Run, Running, Service, SupervisorEvent } from './service.ts';
import { supervisor } from './supervisor.ts';

interface Probe extends Service {
  readonly runs: Run[];
  readonly log: string[];
}

function probe(name: string, over: Partial<Service> = {}): Probe {
  const runs: Run[] = [];
  const log: string[] = [];
  return {
    name,
    runs,
    log,
    async start(run) {
      runs.push(run);
      log.push('start');
      return {
        async stop() {
          log.push('stop');
        },
      };
    },
    ...over,
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function setup(
  over: Partial<NurseryOptions> = {},
): Promise<{ nursery: Nursery; running: Running; story: () => string[]; ends: unknown[] } & AsyncDisposable> {
  const events: SupervisorEvent[] = [];
  const ends: unknown[] = [];
  const owner = nursery('agents', { limit: 3, backoffMs: () => 0, onEvent: (event) => events.push(event), ...over });
  const running = await owner.start({ path: 'root/agents', signal: new AbortController().signal, exit: (cause) => ends.push(cause) });
  return {
    nursery: owner,
    running,
    ends,
    story: () => events.map(({ kind, path }) => `${kind} ${path}`),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

describe('nursery', () => {
  it('has children that come and go', async () => {
    await using t = await setup();
    const [a, b] = [probe('a'), probe('b')];
    const child = await t.nursery.add(a);
    await t.nursery.add(b);
    assert.deepEqual([child.path, child.health().state], ['root/agents/a', 'running']);
    assert.deepEqual(Object.keys(t.running.health!().children!), ['a', 'b']);
    await child.stop();
    assert.equal(await child.done, null);
    assert.deepEqual(
      t.nursery.list().map(({ name }) => name),
      ['b'],
    );
    b.runs[0]!.exit();
    await settle();
    assert.deepEqual(t.nursery.list(), []);
    assert.deepEqual(
      [a.log, b.log],
      [
        ['start', 'stop'],
        ['start', 'stop'],
      ],
    );
    await t.nursery.add(probe('a'));
  });

  it('does not bring a crashed child back, and lets nobody else feel it', async () => {
    await using t = await setup();
    const [a, b] = [probe('a'), probe('b')];
    const child = await t.nursery.add(a);
    await t.nursery.add(b);
    const cause = new Error('boom');
    a.runs[0]!.exit(cause);
    assert.equal(await child.done, cause);
    await settle();
    assert.deepEqual([a.runs.length, b.log, t.ends], [1, ['start'], []]);
    assert.deepEqual(t.story(), ['started root/agents/a', 'started root/agents/b', 'crashed root/agents/a', 'stopped root/agents/a']);
  });

  it('brings back a child that asks for it, until its key crashed too often', async () => {
    const clock = manualClock();
    await using t = await setup({ clock, intensity: { restarts: 2, withinMs: 1_000 } });
    const a = probe('a', { restart: 'permanent' });
    const child = await t.nursery.add(a);
    for (let n = 0; n < 3; n += 1) {
      a.runs.at(-1)!.exit(new Error(`boom ${n}`));
      await settle();
    }
    assert.match(String(await child.done), /boom 2/);
    assert.equal(a.runs.length, 3);
    await assert.rejects(t.nursery.add(a), { code: 'nursery.crashing' });
    await t.nursery.add(probe('b'));
    await clock.advance(1_001);
    await t.nursery.add(a);
  });

  it('refuses a key whose children crash, whatever they are called', async () => {
    const clock = manualClock();
    await using t = await setup({ clock, intensity: { restarts: 1, withinMs: 1_000 } });
    for (const name of ['run-1', 'run-2']) {
      const run = probe(name);
      const child = await t.nursery.add(run, { key: 'skill x' });
      run.runs[0]!.exit(new Error('boom'));
      await child.done;
    }
    await assert.rejects(t.nursery.add(probe('run-3'), { key: 'skill x' }), { code: 'nursery.crashing' });
    await t.nursery.add(probe('run-3'), { key: 'skill y' });
  });

  it('rejects what does not start, and forgets it', async () => {
    await using t = await setup({ intensity: { restarts: 1, withinMs: 1_000 } });
    const bad = probe('bad', { start: () => Promise.reject(new Error('no such program')) });
    for (let n = 0; n < 2; n += 1) await assert.rejects(t.nursery.add(bad), /no such program/);
    assert.deepEqual(t.nursery.list(), []);
    await assert.rejects(t.nursery.add(bad), { code: 'nursery.crashing' });
  });

  it('has a limit, and no two of one name, those that start included', async () => {
    await using t = await setup({ limit: 2 });
    const gate = Promise.withResolvers<Running>();
    const starting = t.nursery.add(probe('a', { start: () => gate.promise }));
    await assert.rejects(t.nursery.add(probe('a')), { code: 'nursery.taken' });
    const full = await t.nursery.add(probe('b'));
    await assert.rejects(t.nursery.add(probe('c')), { code: 'nursery.full' });
    gate.resolve({ async stop() {} });
    await starting;
    await full.stop();
    await t.nursery.add(probe('c'));
  });

  it('stops all it has, those that start included, and takes none afterwards', async () => {
    const t = await setup();
    const [a, b] = [probe('a'), probe('b', { restart: 'permanent' })];
    const children = [await t.nursery.add(a), await t.nursery.add(b)];
    const starting = t.nursery.add(
      probe('c', {
        start: (run) => new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(new Error('interrupted')))),
      }),
    );
    starting.catch(() => {});
    await t.running.stop();
    await assert.rejects(starting);
    assert.deepEqual([a.log.at(-1), b.log.at(-1)], ['stop', 'stop']);
    for (const { done } of children) assert.equal(await done, null);
    await assert.rejects(t.nursery.add(probe('d')), { code: 'nursery.closed' });
  });

  it('is empty again after its supervisor restarted it, and its children have their place in the tree', async () => {
    const owner = nursery('agents', { limit: 3 });
    const root = supervisor('root', [owner], { strategy: 'one_for_one', intensity: { restarts: 1, withinMs: 1_000 } });
    const tree = await root.start({ signal: new AbortController().signal, exit() {} });
    const [a, inner] = [probe('a'), probe('leaf')];
    await owner.add(a);
    await owner.add(supervisor('inner', [inner], { strategy: 'one_for_one', intensity: { restarts: 1, withinMs: 1_000 } }));
    const agents = tree.health().children['agents']!;
    assert.deepEqual(
      [agents.strategy, agents.detail, agents.children?.['inner']?.children?.['leaf']?.state],
      ['nursery', '2 of 3', 'running'],
    );
    await tree.restart('root/agents/a');
    await tree.restart('root/agents/inner/leaf');
    assert.deepEqual([a.runs.length, inner.runs.length], [2, 2]);
    await assert.rejects(tree.restart('root/agents/b'), { code: 'supervisor.no_such_node' });
    await tree.restart('root/agents');
    assert.deepEqual(owner.list(), []);
    assert.equal(a.log.at(-1), 'stop');
    await owner.add(a);
    await tree.stop();
  });
});
