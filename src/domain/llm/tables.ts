import type { Migration } from '#core/db/migration';

/** A provider as the owner configured it. `tiers`, `price`, `headers` and `options` are JSON. */
export interface ProviderRow {
  id: string;
  name: string;
  kind: string;
  base_url: string | null;
  model: string;
  embedding_model: string | null;
  tiers: string;
  priority: number;
  daily_call_limit: number | null;
  price: string | null;
  secret: string | null;
  headers: string;
  options: string;
  enabled: number;
  timeout_ms: number;
  created_at: number;
  /** Equal to `created_at` until someone changes it. */
  updated_at: number;
}

/** Who pays and what for: common to a hold and to its entry in the ledger. */
interface CallColumns {
  id: string;
  /** UTC, `2026-11-21`; the day the call began. */
  day: string;
  provider_id: string;
  provider: string;
  kind: string;
  model: string;
  operation: 'chat' | 'embedding';
  tier: string | null;
  purpose: string;
  run_id: string | null;
  step: string | null;
  workflow_id: string | null;
  /** Place in the chain of its request: 0 is the first choice. */
  hop: number;
  reserved_usd: number;
  started_at: number;
}

export interface ReservationRow extends CallColumns {
  /** The process that holds it. */
  node: string;
}

export interface CallRow extends CallColumns {
  status: 'ok' | 'failed' | 'cancelled';
  /** Why it failed: a `FailureReason`, or `interrupted` by the end of its process. */
  reason: string | null;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
  usage_source: 'provider' | 'estimated' | 'none';
  cost_usd: number;
  price_source: string;
  first_token_at: number | null;
  ended_at: number;
}

export interface HealthRow {
  provider_id: string;
  state: 'healthy' | 'cooling' | 'unhealthy';
  reason: string | null;
  message: string | null;
  /** Failures in a row that count. */
  failures: number;
  /** How often in a row it was left alone; sets the next wait. */
  rounds: number;
  retry_at: number | null;
}

declare module '#core/db/store' {
  interface Tables {
    llm_provider: ProviderRow;
    llm_call: CallRow;
    llm_reservation: ReservationRow;
    llm_budget: { scope: string; key: string; limit_usd: number | null };
    /** Extra money the owner granted; `period` is the day or month it holds for, empty for a run. */
    llm_extra: { scope: string; key: string; period: string; usd: number };
    llm_health: HealthRow;
  }
}

const callColumns = `
  id text primary key, day text not null, provider_id text not null, provider text not null, kind text not null, model text not null,
  operation text not null check (operation in ('chat', 'embedding')), tier text, purpose text not null, run_id text, step text,
  workflow_id text, hop integer not null, reserved_usd real not null, started_at integer not null`;

export const llmMigrations: readonly Migration[] = [
  {
    name: 'llm-001-router',
    ddl: [
      `create table llm_provider (
        id text primary key, name text not null unique, kind text not null, base_url text, model text not null, embedding_model text,
        tiers text not null, priority integer not null, daily_call_limit integer, price text, secret text, headers text not null,
        options text not null, enabled integer not null check (enabled in (0, 1)), timeout_ms integer not null,
        created_at integer not null, updated_at integer not null) strict, without rowid`,
      `create table llm_call (${callColumns},
        status text not null check (status in ('ok', 'failed', 'cancelled')), reason text,
        input_tokens integer not null, output_tokens integer not null, cached_tokens integer not null, reasoning_tokens integer not null,
        usage_source text not null check (usage_source in ('provider', 'estimated', 'none')), cost_usd real not null, price_source text not null,
        first_token_at integer, ended_at integer not null) strict, without rowid`,
      'create index llm_call_day on llm_call (day, provider_id)',
      'create index llm_call_run on llm_call (run_id) where run_id is not null',
      `create table llm_reservation (${callColumns}, node text not null) strict, without rowid`,
      'create table llm_budget (scope text not null, key text not null, limit_usd real, primary key (scope, key)) strict, without rowid',
      'create table llm_extra (scope text not null, key text not null, period text not null, usd real not null, primary key (scope, key, period)) strict, without rowid',
      `create table llm_health (
        provider_id text primary key, state text not null check (state in ('healthy', 'cooling', 'unhealthy')), reason text, message text,
        failures integer not null, rounds integer not null, retry_at integer) strict, without rowid`,
    ],
  },
];
