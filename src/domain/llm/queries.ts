import type { Db } from '#core/db/store';
import type { UsageGroup, UsageRow } from './api.ts';
import type { CallRow, HealthRow, ProviderRow, ReservationRow } from './tables.ts';

export async function allProviders(db: Db): Promise<ProviderRow[]> {
  return db.selectFrom('llm_provider').selectAll().orderBy('priority').orderBy('name').execute();
}

export async function insertProvider(tx: Db, row: ProviderRow): Promise<void> {
  await tx.insertInto('llm_provider').values(row).execute();
}

export async function updateProvider(tx: Db, { id, ...row }: ProviderRow): Promise<void> {
  await tx.updateTable('llm_provider').set(row).where('id', '=', id).execute();
}

export async function deleteProvider(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('llm_provider').where('id', '=', id).execute();
  await tx.deleteFrom('llm_health').where('provider_id', '=', id).execute();
}

export async function allHealth(db: Db): Promise<HealthRow[]> {
  return db.selectFrom('llm_health').selectAll().execute();
}

export async function putHealth(tx: Db, row: HealthRow): Promise<void> {
  const { provider_id: _id, ...change } = row;
  await tx
    .insertInto('llm_health')
    .values(row)
    .onConflict((on) => on.column('provider_id').doUpdateSet(change))
    .execute();
}

export async function insertReservation(tx: Db, row: ReservationRow): Promise<void> {
  await tx.insertInto('llm_reservation').values(row).execute();
}

/** The hold becomes an entry. */
export async function settleCall(tx: Db, row: CallRow): Promise<void> {
  await tx.deleteFrom('llm_reservation').where('id', '=', row.id).execute();
  await tx.insertInto('llm_call').values(row).execute();
}

export async function reservationsOf(db: Db, node: string): Promise<ReservationRow[]> {
  return db.selectFrom('llm_reservation').selectAll().where('node', '=', node).execute();
}

/** Which entries of the ledger an account adds up. */
export interface SpentFilter {
  readonly runId?: string;
  readonly workflowId?: string;
  readonly operation?: 'chat' | 'embedding';
  readonly fromDay?: string;
  readonly toDay?: string;
}

export async function spentUsd(db: Db, { runId, workflowId, operation, fromDay, toDay }: SpentFilter): Promise<number> {
  let query = db.selectFrom('llm_call').select(({ fn }) => fn.sum<number | null>('cost_usd').as('usd'));
  if (runId !== undefined) query = query.where('run_id', '=', runId);
  if (workflowId !== undefined) query = query.where('workflow_id', '=', workflowId);
  if (operation !== undefined) query = query.where('operation', '=', operation);
  if (fromDay !== undefined) query = query.where('day', '>=', fromDay);
  if (toDay !== undefined) query = query.where('day', '<=', toDay);
  return Number((await query.executeTakeFirst())?.usd ?? 0);
}

/** Answers of a day by provider: what the daily limit counts. A failure that used nothing does not. */
export async function answersOf(db: Db, day: string): Promise<{ providerId: string; calls: number }[]> {
  const rows = await db
    .selectFrom('llm_call')
    .select(({ fn }) => ['provider_id', fn.countAll<number>().as('calls')])
    .where('day', '=', day)
    .where('operation', '=', 'chat')
    .where((where) => where.or([where('status', '<>', 'failed'), where('usage_source', '<>', 'none')]))
    .groupBy('provider_id')
    .execute();
  return rows.map((row) => ({ providerId: row.provider_id, calls: Number(row.calls) }));
}

const groupColumn = {
  provider: 'provider',
  workflow: 'workflow_id',
  day: 'day',
  model: 'model',
  purpose: 'purpose',
  run: 'run_id',
} as const satisfies Record<UsageGroup, keyof CallRow>;

/** The dearest group first; days in order. */
export async function usageBy(db: Db, by: UsageGroup, from: string, to: string): Promise<UsageRow[]> {
  const column = groupColumn[by];
  const rows = await db
    .selectFrom('llm_call')
    .select(({ fn, eb }) => [
      `${column} as key` as const,
      fn.countAll<number>().as('calls'),
      fn.sum<number>(eb.case().when('status', '=', 'failed').then(1).else(0).end()).as('failed'),
      fn.sum<number>('input_tokens').as('input'),
      fn.sum<number>('output_tokens').as('output'),
      fn.sum<number>('cached_tokens').as('cached'),
      fn.sum<number>('cost_usd').as('cost'),
    ])
    .where('day', '>=', from)
    .where('day', '<=', to)
    .groupBy(column)
    .execute();
  const usage = rows.map((row) => ({
    key: row.key ?? '',
    calls: Number(row.calls),
    failedCalls: Number(row.failed),
    inputTokens: Number(row.input),
    outputTokens: Number(row.output),
    cachedInputTokens: Number(row.cached),
    costUsd: Number(row.cost),
  }));
  return usage.toSorted((a, b) => (by === 'day' ? (a.key < b.key ? -1 : 1) : b.costUsd - a.costUsd || b.calls - a.calls));
}

export async function allLimits(db: Db): Promise<{ scope: string; key: string; limit_usd: number | null }[]> {
  return db.selectFrom('llm_budget').selectAll().execute();
}

export async function putLimit(tx: Db, scope: string, key: string, limitUsd: number | null): Promise<void> {
  await tx
    .insertInto('llm_budget')
    .values({ scope, key, limit_usd: limitUsd })
    .onConflict((on) => on.columns(['scope', 'key']).doUpdateSet({ limit_usd: limitUsd }))
    .execute();
}

export async function allExtras(db: Db): Promise<{ scope: string; key: string; period: string; usd: number }[]> {
  return db.selectFrom('llm_extra').selectAll().execute();
}

export async function putExtra(tx: Db, scope: string, key: string, period: string, usd: number): Promise<void> {
  await tx
    .insertInto('llm_extra')
    .values({ scope, key, period, usd })
    .onConflict((on) => on.columns(['scope', 'key', 'period']).doUpdateSet({ usd }))
    .execute();
}
