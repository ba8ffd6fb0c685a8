import type { Migration } from '#core/db/migration';
import type { ApprovalStatus } from './contract.ts';
import type { Effect, Grant } from './grant-shapes.ts';

declare module '#core/db/store' {
  interface Tables {
    policy_approval: {
      id: string;
      code: string;
      run_id: string | null;
      step: string | null;
      kind: string;
      title: string;
      question: string;
      details: string;
      options: string;
      status: ApprovalStatus;
      answer: string | null;
      note: string | null;
      answered_by: string | null;
      via: string | null;
      created_at: number;
      expires_at: number | null;
      ended_at: number | null;
    };
    policy_grant: {
      id: string;
      principal: string;
      capability: string;
      resource: string;
      effect: Effect;
      conditions: string;
      expires_at: number | null;
      once: 0 | 1;
      reason: string;
      origin: Grant['origin'];
      made_by: string;
      created_at: number;
      approval_id: string | null;
      /** With a step: an answer that holds for this one question. */
      run_id: string | null;
      step: string | null;
      used_at: number | null;
      revoked_at: number | null;
      revoked_by: string | null;
    };
    /** Uses of grants that are limited by rate. */
    policy_use: { grant_id: string; at: number; id: string };
  }
}

export const policyMigrations: readonly Migration[] = [
  {
    name: 'policy-001-approval',
    ddl: [
      `create table policy_approval (
        id text primary key, code text not null, run_id text, step text, kind text not null, title text not null, question text not null,
        details text not null, options text not null, status text not null check (status in ('pending', 'answered', 'expired', 'withdrawn')),
        answer text, note text, answered_by text, via text, created_at integer not null, expires_at integer, ended_at integer,
        check ((status = 'answered') = (answer is not null and answered_by is not null and via is not null)),
        check ((status = 'pending') = (ended_at is null))) strict`,
      `create unique index policy_approval_code on policy_approval (code) where status = 'pending'`,
      `create index policy_approval_run on policy_approval (run_id)`,
    ],
  },
  {
    name: 'policy-002-grant',
    ddl: [
      `create table policy_grant (
        id text primary key, principal text not null, capability text not null, resource text not null,
        effect text not null check (effect in ('allow', 'deny', 'ask')), conditions text not null, expires_at integer,
        once integer not null check (once in (0, 1)), reason text not null,
        origin text not null check (origin in ('owner', 'approval', 'install')), made_by text not null, created_at integer not null,
        approval_id text, run_id text, step text, used_at integer, revoked_at integer, revoked_by text,
        check ((run_id is null) = (step is null)), check ((revoked_at is null) = (revoked_by is null))) strict`,
      `create index policy_grant_run on policy_grant (run_id) where run_id is not null`,
      `create table policy_use (id text primary key, grant_id text not null, at integer not null) strict, without rowid`,
      `create index policy_use_grant on policy_use (grant_id, at)`,
    ],
  },
];
