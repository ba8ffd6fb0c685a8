import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { manualClock } from '#core/clock';
import { onEveryEngine } from '#core/db/testing';
import type { Json } from '#core/json';
import type { EffectPlan } from './contract.ts';
import { createEffects, effectKey, type EffectScope } from './effects.ts';
import { runMigrations } from './tables.ts';

const scope: EffectScope = { runId: 'r', step: 's', dryRun: false };
const { signal } = new AbortController();

/** The other side: counts what really happened. */
function outside() {
  const done: string[] = [];
  const plan = (over: Partial<EffectPlan<Json>> = {}): EffectPlan<Json> => ({
    name: 'message',
    kind: 'channel.send',
    target: 'telegram:1',
    class: 'irreversible',
    intent: { text: 'hi' },
    idempotent: false,
    perform: async (key) => {
      done.push(key);
      return { id: done.length };
    },
    ...over,
  });
  return { done, plan };
}
const notDone = () => Object.assign(new Error('refused'), { name: 'EffectNotDone' });

onEveryEngine('effects', (open) => {
  it('the audit has the outcome of each, and the owner who settled one', async () => {
    await using store = await open(runMigrations);
    const { plan } = outside();
    const audit = fakeAudit();
    const effects = createEffects({ store, clock: manualClock(1), audit });
    await effects.perform(scope, plan(), signal);
    const lost = plan({ name: 'lost', perform: async () => Promise.reject(new Error('cut off')) });
    await assert.rejects(effects.perform(scope, lost, signal), { code: 'effect.unknown' });
    await effects.settle(effectKey(scope, 'lost'), 'done');
    assert.deepEqual(
      audit.entries.map(({ actor, action, details }) => [actor, action, details?.['target']]),
      [
        ['run:r', 'effect.done', 'telegram:1'],
        ['run:r', 'effect.unknown', 'telegram:1'],
        ['owner', 'effect.settle_done', 'telegram:1'],
      ],
    );
  });

  it('performs once, however often it is asked, and gives the same receipt', async () => {
    await using store = await open(runMigrations);
    const { done, plan } = outside();
    const effects = createEffects({ store, clock: manualClock(1) });
    assert.deepEqual(await effects.perform(scope, plan(), signal), { id: 1 });
    assert.deepEqual(await effects.perform(scope, plan(), signal), { id: 1 });
    assert.equal(done.length, 1);
  });

  it('what surely did not happen is tried again; what may have happened is not', async () => {
    await using store = await open(runMigrations);
    const { done, plan } = outside();
    const effects = createEffects({ store, clock: manualClock(1) });
    await assert.rejects(
      effects.perform(
        scope,
        plan({
          perform: async () => {
            throw notDone();
          },
        }),
        signal,
      ),
    );
    assert.deepEqual(await effects.perform(scope, plan(), signal), { id: 1 });
    const other = { ...scope, step: 'other' };
    await assert.rejects(
      effects.perform(
        other,
        plan({
          perform: async () => {
            throw new Error('connection reset');
          },
        }),
        signal,
      ),
      { code: 'effect.unknown' },
    );
    await assert.rejects(effects.perform(other, plan(), signal), { code: 'effect.unknown' });
    assert.equal(done.length, 1);
  });

  it('after a crash: idempotent is repeated, verifiable is asked, the rest is unknown', async () => {
    await using store = await open(runMigrations);
    const effects = createEffects({ store, clock: manualClock(1) });
    const crash = (step: string, over: Partial<EffectPlan<Json>>) => {
      const cut = new AbortController();
      void effects.perform(
        { ...scope, step },
        outside().plan({
          ...over,
          perform: () => {
            cut.abort();
            return new Promise(() => {});
          },
        }),
        signal,
      );
      return new Promise<void>((resolve) => cut.signal.addEventListener('abort', () => resolve()));
    };
    const again = (step: string, over: Partial<EffectPlan<Json>> = {}) => {
      const o = outside();
      return { o, result: effects.perform({ ...scope, step }, o.plan(over), signal) };
    };

    await crash('idempotent', { idempotent: true });
    const repeated = again('idempotent', { idempotent: true });
    assert.deepEqual([await repeated.result, repeated.o.done.length], [{ id: 1 }, 1]);

    await crash('verified', {});
    const verified = again('verified', { verify: async () => ({ id: 99 }) });
    assert.deepEqual([await verified.result, verified.o.done.length], [{ id: 99 }, 0]);

    await crash('verified-not', {});
    const not = again('verified-not', { verify: async () => 'not_done' });
    assert.deepEqual([await not.result, not.o.done.length], [{ id: 1 }, 1]);

    await crash('blind', {});
    const blind = again('blind');
    await assert.rejects(blind.result, { code: 'effect.unknown' });
    assert.equal(blind.o.done.length, 0);
  });

  it('the owner settles what is unknown', async () => {
    await using store = await open(runMigrations);
    const { done, plan } = outside();
    const effects = createEffects({ store, clock: manualClock(1) });
    const fail = (step: string) =>
      effects
        .perform(
          { ...scope, step },
          plan({
            perform: async () => {
              throw new Error('?');
            },
          }),
          signal,
        )
        .catch((error: { details: { key: string } }) => error.details.key);
    const key = await fail('a');
    await effects.settle(String(key), 'done');
    assert.deepEqual([await effects.perform({ ...scope, step: 'a' }, plan(), signal), done.length], [{ settledBy: 'owner' }, 0]);
    const second = await fail('b');
    await effects.settle(String(second), 'retry');
    assert.deepEqual([await effects.perform({ ...scope, step: 'b' }, plan(), signal), done.length], [{ id: 1 }, 1]);
    await assert.rejects(effects.settle(String(second), 'done'), { code: 'run.effect_known' });
  });

  it('a dry run writes the plan and does nothing', async () => {
    await using store = await open(runMigrations);
    const { done, plan } = outside();
    const effects = createEffects({ store, clock: manualClock(1) });
    assert.equal(await effects.perform({ ...scope, dryRun: true }, plan(), signal), null);
    const rows = await store.db.selectFrom('run_effect').select(['status', 'intent']).execute();
    assert.deepEqual([done.length, rows.map((row) => ({ ...row }))], [0, [{ status: 'planned', intent: '{"text":"hi"}' }]]);
  });
});
