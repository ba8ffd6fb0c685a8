import assert from 'node:assert/strict';
import { it, test } from 'node:test';
import fc from 'fast-check';
import { createBus, type Events } from '#core/bus';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { createBreakers } from './breaker.ts';
import { skillMigrations } from './tables.ts';

const KEY = 'skill:x';
const COOL_DOWN = 60_000;

function build(store: Store, clock = manualClock(1_000_000)) {
  const told: Events['breaker.changed'][] = [];
  const bus = createBus((_, error) => assert.fail(String(error)));
  bus.subscribe('breaker.changed', (event) => void told.push(event), new AbortController().signal);
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 3, coolDownMs: COOL_DOWN }) });
  return {
    breakers,
    clock,
    told,
    fail: (times = 1) => {
      for (let i = 0; i < times; i += 1) breakers.enter(KEY).failed('down');
    },
    start: () => breakers.service.start({ signal: new AbortController().signal, exit: () => {} }),
    /** The waits for writes that nobody awaits. */
    settle: () => store.write(async () => {}),
  };
}

async function setup() {
  const store = await memoryStore(skillMigrations);
  return { ...build(store), store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

const closed = { code: 'breaker.open' };

test('opens after so many failures in a row, and not before', async () => {
  await using t = await setup();
  t.fail(2);
  t.breakers.enter(KEY).succeeded();
  t.fail(2);
  assert.equal(t.breakers.state(KEY).state, 'closed');
  t.fail();
  assert.deepEqual(t.breakers.state(KEY), { ...t.breakers.state(KEY), state: 'open', failures: 3, until: 1_000_000 + COOL_DOWN });
  assert.throws(() => t.breakers.enter(KEY), closed);
  assert.doesNotThrow(() => t.breakers.enter('skill:other'));
});

test('half open, lets one probe through at a time', async () => {
  await using t = await setup();
  t.fail(3);
  await t.clock.advance(COOL_DOWN);
  const probe = t.breakers.enter(KEY);
  assert.throws(() => t.breakers.enter(KEY), closed);
  probe.abandoned();
  const second = t.breakers.enter(KEY);
  second.succeeded();
  assert.deepEqual([t.breakers.state(KEY).state, t.breakers.state(KEY).failures], ['closed', 0]);
  assert.doesNotThrow(() => [t.breakers.enter(KEY), t.breakers.enter(KEY)]);
});

test('each probe that fails doubles the rest, up to an hour', async () => {
  await using t = await setup();
  t.fail(3);
  const rests: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    const { until } = t.breakers.state(KEY);
    rests.push((until! - t.clock.now()) / COOL_DOWN);
    t.clock.set(until!);
    t.fail();
  }
  assert.deepEqual(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
});

test('calls that were under way together count as one opening, and are no probes', async () => {
  await using t = await setup();
  const calls = Array.from({ length: 8 }, () => t.breakers.enter(KEY));
  for (const call of calls.slice(0, 6)) call.failed('down');
  assert.equal(t.breakers.state(KEY).until, t.clock.now() + COOL_DOWN);
  await t.clock.advance(COOL_DOWN);
  t.breakers.enter(KEY);
  calls[6]!.abandoned();
  calls[7]!.failed('late');
  assert.equal(t.breakers.state(KEY).state, 'half_open');
  assert.throws(() => t.breakers.enter(KEY), closed, 'the probe is still under way');
});

test('a passage reports once', async () => {
  await using t = await setup();
  const passage = t.breakers.enter(KEY);
  for (let i = 0; i < 5; i += 1) passage.failed('again');
  assert.equal(t.breakers.state(KEY).failures, 1);
});

test('tells of each change, with the reason and until when', async () => {
  await using t = await setup();
  t.fail(3);
  await t.clock.advance(COOL_DOWN);
  t.breakers.enter(KEY).succeeded();
  assert.deepEqual(
    t.told.map(({ state, error, until }) => [state, error, until]),
    [
      ['open', 'down', 1_000_000 + COOL_DOWN],
      ['half_open', null, null],
      ['closed', null, null],
    ],
  );
});

onEveryEngine('breaker', (open) => {
  it('keeps its rest across a restart; closed by hand it stays closed, whatever calls under way say', async () => {
    await using store = await open(skillMigrations);
    const before = build(store);
    before.fail(3);
    await before.settle();
    const after = build(store, manualClock(1_000_001));
    await after.start();
    assert.throws(() => after.breakers.enter(KEY), closed);
    await after.clock.advance(COOL_DOWN);
    assert.doesNotThrow(() => after.breakers.enter(KEY));

    await before.clock.advance(COOL_DOWN);
    const probe = before.breakers.enter(KEY);
    await before.breakers.reset(KEY);
    probe.failed('late');
    assert.doesNotThrow(() => before.breakers.enter(KEY));
    await before.settle();
    const third = build(store);
    await third.start();
    assert.equal(third.breakers.state(KEY).state, 'closed');
  });
});

test('whatever happens: open it lets nobody in, half open one, and time alone lets a probe in again', async () => {
  await using t = await setup();
  const step = fc.constantFrom('enter', 'fail', 'succeed', 'abandon', 'wait');
  let n = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const key = `host:${(n += 1)}`;
      const inside: { passage: ReturnType<typeof t.breakers.enter>; probe: boolean }[] = [];
      for (const each of steps) {
        const { state, until } = t.breakers.state(key);
        if (each === 'wait') t.clock.set(t.clock.now() + COOL_DOWN / 2);
        else if (each === 'enter') {
          const rested = state === 'open' && t.clock.now() >= until!;
          const probing = inside.some(({ probe }) => probe);
          const mayEnter = state === 'closed' || rested || (state === 'half_open' && !probing);
          if (!mayEnter) assert.throws(() => t.breakers.enter(key), closed);
          else inside.push({ passage: t.breakers.enter(key), probe: state !== 'closed' });
        } else {
          const call = inside.shift();
          if (each === 'fail') call?.passage.failed('x');
          if (each === 'succeed') call?.passage.succeeded();
          if (each === 'abandon') call?.passage.abandoned();
        }
      }
    }),
    { numRuns: 200 },
  );
});
