import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { manualClock } from './clock.ts';
import { AppError } from './errors.ts';
import type { Run, Service, SupervisorEvent } from './service.ts';
import { supervisor, type RunningSupervisor, type SupervisorOptions } from './supervisor.ts';

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

const fast = { strategy: 'one_for_one', intensity: { restarts: 3, withinMs: 1_000 }, backoffMs: () => 0 } as const;

function outside(): Run & { readonly ends: (Error | undefined)[] } {
  const ends: (Error | undefined)[] = [];
  return {
    signal: new AbortController().signal,
    exit: (cause) => {
      ends.push(cause);
    },
    ends,
  };
}

/** Everything that needs no time has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A started tree that is stopped at the end of the test. */
async function setup(
  services: readonly Service[],
  over: Partial<SupervisorOptions> = {},
  run = outside(),
): Promise<RunningSupervisor & { events: SupervisorEvent[]; story: () => string[] } & AsyncDisposable> {
  const events: SupervisorEvent[] = [];
  const running = await supervisor('t', services, { ...fast, onEvent: (event) => events.push(event), ...over }).start(run);
  return {
    ...running,
    events,
    story: () => events.map(({ kind, service }) => `${kind} ${service}`),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

describe('supervisor', () => {
  it('starts in order and stops in reverse', async () => {
    const t = await setup([probe('a'), probe('b')]);
    await t.stop();
    assert.deepEqual(t.story(), ['started a', 'started b', 'stopped b', 'stopped a']);
  });

  it('one_for_one restarts only the crashed child', async () => {
    const [a, b] = [probe('a'), probe('b')];
    await using t = await setup([a, b]);
    a.runs[0]!.exit(new Error('boom'));
    await settle();
    assert.deepEqual([a.log, b.log], [['start', 'stop', 'start'], ['start']]);
    assert.equal(t.health().ok, true);
  });

  it('rest_for_one restarts the child and all after it', async () => {
    const [a, b, c] = [probe('a'), probe('b'), probe('c')];
    await using _ = await setup([a, b, c], { strategy: 'rest_for_one' });
    b.runs[0]!.exit(new Error('boom'));
    await settle();
    assert.deepEqual([a.runs.length, b.runs.length, c.runs.length], [1, 2, 2]);
  });

  it('gives up past its intensity, its children stopped, and the parent restarts it', async () => {
    const child: Probe = probe('flaky', {
      async start(run) {
        child.runs.push(run);
        queueMicrotask(() => run.exit(new Error('again')));
        return { async stop() {} };
      },
    });
    const calm = probe('calm');
    const top = outside();
    await using _ = await setup([supervisor('inner', [calm, child], fast)], { intensity: { restarts: 1, withinMs: 60_000 } }, top);
    while (top.ends.length === 0) await settle();
    assert.equal((top.ends[0] as AppError).code, 'supervisor.gave_up');
    assert.equal(child.runs.length, 8);
    assert.deepEqual(calm.log, ['start', 'stop', 'start', 'stop']);
  });

  it('leaves a transient child down that ended normally, and ignores exits of an old life', async () => {
    const a = probe('a', { restart: 'transient' });
    await using t = await setup([a]);
    a.runs[0]!.exit();
    a.runs[0]!.exit(new Error('late'));
    await settle();
    assert.equal(a.runs.length, 1);
    assert.equal(t.health().ok, false);
    assert.equal(t.health().children['a']?.state, 'stopped');
  });

  it('never brings a temporary child back, and the others not down with it', async () => {
    const [a, b, c] = [probe('a'), probe('b', { restart: 'temporary' }), probe('c')];
    await using _ = await setup([a, b, c], { strategy: 'rest_for_one' });
    b.runs[0]!.exit(new Error('gone'));
    await settle();
    a.runs[0]!.exit(new Error('boom'));
    await settle();
    assert.deepEqual([a.runs.length, b.runs.length, c.runs.length], [2, 1, 2]);
  });

  it('restarts each child once more, not twice, when two crash at once', async () => {
    const [a, b, c] = [probe('a'), probe('b'), probe('c')];
    await using _ = await setup([a, b, c], { strategy: 'rest_for_one' });
    b.runs[0]!.exit(new Error('b'));
    c.runs[0]!.exit(new Error('c'));
    await settle();
    assert.deepEqual([a.runs.length, b.runs.length, c.runs.length], [1, 2, 2]);
  });

  it('does not wait for a backoff when it is stopped', async () => {
    const a = probe('a');
    const t = await setup([a], { backoffMs: () => 10_000, clock: manualClock() });
    a.runs[0]!.exit(new Error('boom'));
    await settle();
    assert.equal(t.health().children['a']?.state, 'backing_off');
    await t.stop();
    assert.deepEqual(a.log, ['start', 'stop']);
  });

  it('stops what had started when the boot fails, and hands on the very error', async () => {
    const a = probe('a');
    const refusal = new AppError('unavailable', 'http.port_in_use', 'no port');
    const bad = probe('bad', { start: () => Promise.reject(refusal) });
    await assert.rejects(setup([a, supervisor('inner', [bad], fast)]), (error) => error === refusal);
    assert.deepEqual(a.log, ['start', 'stop']);
  });

  it('counts a start that hangs as a crash, and stops it when it comes through after all', async () => {
    const clock = manualClock();
    const late = Promise.withResolvers<{ stop(): Promise<void> }>();
    const a = probe('a', { startTimeoutMs: 1_000 });
    const normal = a.start;
    const hangs: Service = { ...a, start: (run) => (a.runs.length === 1 ? (a.runs.push(run), late.promise) : normal(run)) };
    await using t = await setup([hangs], { clock });
    a.runs[0]!.exit(new Error('boom'));
    await clock.advance(1_000);
    late.resolve({
      async stop() {
        a.log.push('late stop');
      },
    });
    await settle();
    assert.deepEqual(t.story(), ['started a', 'crashed a', 'stopped a', 'crashed a', 'started a']);
    assert.equal((t.events[3]!.cause as AppError).code, 'supervisor.timed_out');
    assert.deepEqual(a.log, ['start', 'stop', 'late stop', 'start']);
    assert.ok(a.runs[1]!.signal.aborted);
  });

  it('moves on from a stop that hangs or fails, and says so', async () => {
    const clock = manualClock();
    const hangs = probe('hangs', { stopTimeoutMs: 500, start: async () => ({ stop: () => new Promise<void>(() => {}) }) });
    const fails = probe('fails', { start: async () => ({ stop: () => Promise.reject(new Error('no')) }) });
    const t = await setup([probe('a'), hangs, fails], { clock });
    const stopped = t.stop();
    await clock.advance(500);
    await stopped;
    assert.deepEqual(t.story().slice(3), ['stop_failed fails', 'stop_timed_out hangs', 'stopped a']);
  });

  it('lets a child in its backoff hold up nobody else', async () => {
    const [a, b] = [probe('a'), probe('b')];
    await using _ = await setup([a, b], {
      clock: manualClock(),
      backoffMs: (attempt) => (attempt === 0 && a.runs.length === 1 ? 60_000 : 0),
    });
    a.runs[0]!.exit(new Error('boom'));
    await settle();
    a.runs.push(a.runs[0]!);
    b.runs[0]!.exit(new Error('boom'));
    await settle();
    assert.equal(b.runs.length, 2);
  });

  it('interrupts the start of a later child when an earlier one falls', async () => {
    const [a, b] = [probe('a'), probe('b')];
    const normal = b.start;
    const waits: Service = {
      ...b,
      start: (run) =>
        b.runs.length !== 1
          ? normal(run)
          : (b.runs.push(run), new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(new Error('interrupted'))))),
    };
    await using t = await setup([a, waits], { strategy: 'rest_for_one', clock: manualClock() });
    b.runs[0]!.exit(new Error('b'));
    await settle();
    a.runs[0]!.exit(new Error('a'));
    await settle();
    assert.deepEqual(t.story().slice(2), ['crashed b', 'stopped b', 'crashed a', 'stopped a', 'started a', 'started b']);
    assert.equal(t.health().ok, true);
  });

  it('tells of each node what the owner wants to see, and of nested ones by their full path', async () => {
    const clock = manualClock(5_000);
    const leaf = probe('leaf');
    await using t = await setup([supervisor('inner', [leaf], { ...fast, strategy: 'rest_for_one', clock })], { clock });
    clock.set(6_000);
    leaf.runs[0]!.exit(new AppError('unavailable', 'x.lost', 'The line is dead'));
    await settle();
    clock.set(6_500);
    const inner = t.health().children['inner']!;
    assert.deepEqual(inner.children?.['leaf'], {
      ok: true,
      state: 'running',
      startedAt: 6_000,
      uptimeMs: 500,
      restarts: 1,
      lastCause: { code: 'x.lost', message: 'The line is dead', at: 6_000 },
    });
    assert.deepEqual([inner.strategy, inner.startedAt, inner.restarts, inner.lastCause], ['rest_for_one', 5_000, 0, null]);
    assert.deepEqual(
      t.events.map(({ kind, path }) => `${kind} ${path}`),
      ['started t/inner/leaf', 'started t/inner', 'crashed t/inner/leaf', 'stopped t/inner/leaf', 'started t/inner/leaf'],
    );
    assert.equal(leaf.runs[0]!.path, 't/inner/leaf');
  });

  it('restarts any node for the owner, without waiting and without spending its intensity', async () => {
    const [leaf, next] = [probe('leaf'), probe('next')];
    await using t = await setup([
      supervisor('inner', [leaf, next], { ...fast, strategy: 'rest_for_one', intensity: { restarts: 0, withinMs: 1_000 } }),
    ]);
    for (let n = 0; n < 5; n += 1) await t.restart('t/inner/leaf');
    assert.deepEqual([leaf.runs.length, next.runs.length], [6, 6]);
    await t.restart('t/inner');
    assert.equal(leaf.runs.length, 7);
    for (const path of ['t', 't/other', 't/inner/leaf/x', 'inner', ''])
      await assert.rejects(t.restart(path), { code: 'supervisor.no_such_node' }, path);
  });

  it('brings back for the owner what backs off or has ended, and says when it does not come up', async () => {
    let broken = false;
    const ended = probe('ended', { restart: 'temporary' });
    const a = probe('a');
    const service: Service = { ...a, start: (run) => (broken ? Promise.reject(new Error('still broken')) : a.start(run)) };
    await using t = await setup([service, ended], { clock: manualClock(), backoffMs: () => 60_000 });
    broken = true;
    ended.runs[0]!.exit();
    a.runs[0]!.exit(new Error('boom'));
    await settle();
    await assert.rejects(t.restart('t/a'), /still broken/);
    broken = false;
    await Promise.all([t.restart('t/a'), t.restart('t/a'), t.restart('t/ended')]);
    assert.equal(t.health().ok, true);
    await t.stop();
    await assert.rejects(t.restart('t/a'), { code: 'supervisor.closed' });
  });

  it('forgives restarts that lie outside of the window', async () => {
    const clock = manualClock();
    const a = probe('a');
    const top = outside();
    await using _ = await setup([a], { clock, intensity: { restarts: 2, withinMs: 1_000 } }, top);
    for (let n = 0; n < 9; n += 1) {
      a.runs.at(-1)!.exit(new Error('boom'));
      await settle();
      await clock.advance(501);
    }
    assert.deepEqual([a.runs.length, top.ends.length], [10, 0]);
  });

  it('refuses names that are not one step of a path, and the same name twice', () => {
    for (const services of [[probe('a/b')], [probe('')], [probe('a'), probe('a')]]) assert.throws(() => supervisor('t', services, fast));
  });

  it('whatever crashes when: order holds, nothing outlives what it needs, the intensity is kept', async () => {
    const acts = fc.oneof(
      fc.record({ act: fc.constant('crash' as const), child: fc.nat(3) }),
      fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ act: fc.constant('settle' as const) }),
    );
    const scripts = fc.record({
      acts: fc.array(acts, { maxLength: 25 }),
      failingStarts: fc.array(fc.boolean(), { maxLength: 20 }),
      strategy: fc.constantFrom('rest_for_one' as const, 'one_for_one' as const),
    });
    await fc.assert(fc.asyncProperty(scripts, runScript), { numRuns: 120 });
  });
});

type Act = { readonly act: 'crash'; readonly child: number } | { readonly act: 'wait'; readonly ms: number } | { readonly act: 'settle' };

/** Plays a script of crashes on four children and checks at every start and stop what must always hold. */
async function runScript({
  acts,
  failingStarts,
  strategy,
}: {
  acts: readonly Act[];
  failingStarts: readonly boolean[];
  strategy: 'rest_for_one' | 'one_for_one';
}): Promise<void> {
  const clock = manualClock();
  const intensity = { restarts: 4, withinMs: 1_000 };
  const alive = new Set<string>();
  const fallen = new Set<Run>();
  const current = new Map<string, Run>();
  const names = ['a', 'b', 'c', 'd'];
  const booked: number[] = [];
  let booting = true;
  let starts = 0;
  const services = names.map((name, at): Service => ({
    name,
    async start(run) {
      assert.ok(!alive.has(name), `${name} has one life at a time`);
      if (strategy === 'rest_for_one')
        for (const before of names.slice(0, at)) assert.ok(alive.has(before), `${name} starts on a living ${before}`);
      if (!booting && failingStarts[(starts += 1) % 20]) throw new Error('does not start');
      alive.add(name);
      current.set(name, run);
      return {
        async stop() {
          for (const after of strategy === 'rest_for_one' ? names.slice(at + 1) : [])
            assert.ok(!alive.has(after), `${after} is stopped before ${name}`);
          alive.delete(name);
        },
      };
    },
  }));
  const top = outside();
  const onEvent = ({ kind }: SupervisorEvent): void => {
    if (kind === 'crashed') booked.push(clock.now());
  };
  const tree = await supervisor('t', services, { strategy, intensity, clock, onEvent, backoffMs: (attempt) => 10 * attempt }).start(top);
  booting = false;
  for (const act of acts) {
    if (act.act === 'settle') await settle();
    else if (act.act === 'wait') await clock.advance(act.ms);
    else {
      const run = current.get(names[act.child]!)!;
      if (run.signal.aborted || fallen.has(run)) continue;
      fallen.add(run);
      run.exit(new Error('crash'));
    }
  }
  await clock.advance(400);
  await settle();
  const gaveUp = top.ends.length > 0;
  // At rest: all live on, or it gave up and nothing does.
  if (gaveUp) assert.equal(alive.size, 0);
  else assert.equal(tree.health().ok, alive.size === names.length);
  for (const from of booked) {
    const near = booked.filter((at) => at >= from && at - from <= intensity.withinMs).length;
    // A crash that falls together with an earlier one of its group costs nothing; it can only be fewer.
    if (strategy === 'one_for_one' && near > intensity.restarts) assert.ok(gaveUp, `${near} crashes within the window`);
  }
  await tree.stop();
  assert.equal(alive.size, 0);
  assert.ok(top.ends.length <= 1);
}
