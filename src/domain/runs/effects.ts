import { createHash } from 'node:crypto';
import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { EffectPlan, EffectRecord } from './contract.ts';
import { findEffect, insertEffect, updateEffect } from './queries.ts';
import { toEffect } from './shape.ts';
import type { EffectRow } from './tables.ts';

/**
 * intended ──perform──▶ done
 *    │  ├─ surely not done ─▶ failed ──(next attempt)──▶ intended
 *    │  └─ who knows ───────▶ unknown ──(owner: done)──▶ done
 *    │                              └──(owner: retry)─▶ failed
 *    └─ crash: idempotent → perform again; verifiable → ask; else unknown
 */
export interface Effects {
  /** Performs an effect at most once for its key, however often it is asked. A dry run writes the plan and returns null. */
  perform<R extends Json>(scope: EffectScope, request: EffectPlan<R>, signal: AbortSignal): Promise<R | null>;
  /** The owner's word on an effect of unknown outcome. */
  settle(key: string, as: 'done' | 'retry'): Promise<EffectRecord>;
}

export interface EffectScope {
  readonly runId: string;
  readonly step: string;
  readonly dryRun: boolean;
}

export interface EffectsDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Where each outcome is recorded for the owner; nowhere when left out. */
  readonly audit?: Pick<Audit, 'record'>;
  /** A value as it is stored, without secrets; as it is when left out. */
  readonly kept?: (value: Json) => string;
}

/** The same effect has the same key in every attempt and after every crash. */
export function effectKey({ runId, step }: EffectScope, name: string): string {
  return createHash('sha256')
    .update(JSON.stringify([runId, step, name]))
    .digest('hex')
    .slice(0, 32);
}

export function createEffects({ store, clock, audit, kept = JSON.stringify }: EffectsDeps): Effects {
  async function perform<R extends Json>(scope: EffectScope, plan: EffectPlan<R>, signal: AbortSignal): Promise<R | null> {
    const key = effectKey(scope, plan.name);
    const known = await findEffect(store.db, key);
    if (known?.status === 'done') return JSON.parse(known.receipt!) as R;
    if (known?.status === 'unknown') throw unknownEffect(key, plan);
    if (scope.dryRun) {
      if (!known) await intend(scope, key, plan, 'planned');
      return null;
    }
    if (known?.status === 'intended' && !plan.idempotent) {
      const found = await ask(plan, key, signal);
      if (found === 'unknown') {
        await end(key, { status: 'unknown' });
        throw unknownEffect(key, plan);
      }
      if (found !== 'not_done') {
        await end(key, { status: 'done', receipt: kept(found) });
        return found;
      }
    }
    if (known)
      await store.write((tx) => updateEffect(tx, key, { status: 'intended', attempts: known.attempts + 1, error: null, ended_at: null }));
    else await intend(scope, key, plan, 'intended');
    signal.throwIfAborted();
    return attempt(key, plan, signal);
  }

  async function attempt<R extends Json>(key: string, plan: EffectPlan<R>, signal: AbortSignal): Promise<R> {
    let receipt: R;
    try {
      receipt = await plan.perform(key, signal);
    } catch (error) {
      if ((error as Error).name === 'EffectNotDone' || plan.idempotent) {
        await end(key, { status: 'failed', error: kept(errorInfo(error) as unknown as Json) });
        throw error;
      }
      await end(key, { status: 'unknown', error: kept(errorInfo(error) as unknown as Json) });
      throw unknownEffect(key, plan, error);
    }
    await end(key, { status: 'done', receipt: kept(receipt) });
    return receipt;
  }

  async function intend(scope: EffectScope, key: string, plan: EffectPlan<Json>, status: 'intended' | 'planned'): Promise<void> {
    const at = clock.now();
    await store.write((tx) =>
      insertEffect(tx, {
        key,
        run_id: scope.runId,
        step: scope.step,
        kind: plan.kind,
        target: plan.target,
        class: plan.class,
        status,
        intent: kept(plan.intent),
        receipt: null,
        error: null,
        attempts: status === 'planned' ? 0 : 1,
        created_at: at,
        ended_at: status === 'planned' ? at : null,
      }),
    );
  }

  async function end(key: string, set: { status: 'done' | 'failed' | 'unknown'; receipt?: string; error?: string }): Promise<void> {
    await store.write(async (tx) => {
      await updateEffect(tx, key, { ...set, ended_at: clock.now() });
      const row = audit && (await findEffect(tx, key));
      if (row) await remember(tx, row, `run:${row.run_id}`, `effect.${set.status}`);
    });
  }

  async function remember(tx: Db, { key, kind, target, run_id: runId, step }: EffectRow, actor: string, action: string): Promise<void> {
    await audit?.record({ actor, action, resource: `effect:${key}`, details: { kind, target, runId, step } }, tx);
  }

  async function settle(key: string, as: 'done' | 'retry'): Promise<EffectRecord> {
    return store.write(async (tx) => {
      const row = await findEffect(tx, key);
      if (!row) throw new AppError('not_found', 'run.no_effect', 'No such effect', { key });
      if (row.status !== 'unknown')
        throw new AppError('conflict', 'run.effect_known', `This effect is ${row.status}; only one of unknown outcome can be settled`, {
          key,
          status: row.status,
        });
      const set =
        as === 'done' ? ({ status: 'done', receipt: JSON.stringify({ settledBy: 'owner' }) } as const) : ({ status: 'failed' } as const);
      await updateEffect(tx, key, { ...set, ended_at: clock.now() });
      await remember(tx, row, 'owner', `effect.settle_${as}`);
      return toEffect({ ...row, ...set, ended_at: clock.now() });
    });
  }

  return { perform, settle };
}

async function ask<R extends Json>(plan: EffectPlan<R>, key: string, signal: AbortSignal): Promise<R | 'not_done' | 'unknown'> {
  if (!plan.verify) return 'unknown';
  return plan.verify(key, signal).catch(() => 'unknown' as const);
}

function unknownEffect(key: string, plan: { kind: string; target: string }, cause?: unknown): AppError {
  return new AppError(
    'conflict',
    'effect.unknown',
    `It is not known whether ${plan.kind} to ${plan.target} happened; it was not repeated. Say whether it did.`,
    { key, kind: plan.kind, target: plan.target },
    cause,
  );
}
