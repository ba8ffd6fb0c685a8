import type { Migration } from '#core/db/migration';
import type { ApprovalStatus } from './contract.ts';

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
];
