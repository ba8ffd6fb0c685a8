import { sql } from 'kysely';
import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    audit_entry: {
      seq: number;
      at: number;
      actor: string;
      action: string;
      resource: string;
      decision: 'allow' | 'deny' | 'ask' | null;
      /** Canonical JSON, already redacted; hashed as the text it is. */
      details: string;
      prev_hash: string;
      hash: string;
    };
    /** One row: where the chain ends. Taking it is what puts concurrent writers in line. */
    audit_head: { id: number; seq: number; hash: string };
    /** Where older entries were taken out: the chain goes on after the newest of these. */
    audit_checkpoint: {
      /** The last entry taken out, and its hash. */
      seq: number;
      hash: string;
      at: number;
      /** How many were taken out since the checkpoint before. */
      entries: number;
      /** HMAC of the above, by a key of the vault; empty when there was none. */
      mac: string;
    };
  }
}

/** What the first entry links to. */
export const GENESIS = '0'.repeat(64);

export const auditMigrations: readonly Migration[] = [
  {
    name: 'audit-001-entry',
    ddl: [
      `create table audit_entry (
        seq integer primary key, at integer not null, actor text not null, action text not null, resource text not null,
        decision text check (decision in ('allow', 'deny', 'ask')), details text not null,
        prev_hash text not null check (length(prev_hash) = 64), hash text not null unique check (length(hash) = 64)) strict`,
      `create index audit_entry_resource on audit_entry (resource, seq)`,
      `create table audit_head (id integer primary key check (id = 1), seq integer not null, hash text not null) strict`,
      `insert into audit_head (id, seq, hash) values (1, 0, '${GENESIS}')`,
    ],
  },
  {
    name: 'audit-002-append-only',
    async run(db, dialect) {
      const statements = dialect.shared
        ? [
            `create function audit_refuse() returns trigger language plpgsql as $$ begin raise exception 'audit_entry is append-only'; end $$`,
            `create trigger audit_entry_fixed before update or delete on audit_entry for each row execute function audit_refuse()`,
          ]
        : [
            `create trigger audit_entry_fixed before update on audit_entry begin select raise(abort, 'audit_entry is append-only'); end`,
            `create trigger audit_entry_kept before delete on audit_entry begin select raise(abort, 'audit_entry is append-only'); end`,
          ];
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  },
  {
    name: 'audit-003-checkpoint',
    ddl: [
      `create table audit_checkpoint (
        seq integer primary key, hash text not null check (length(hash) = 64), at integer not null,
        entries integer not null check (entries > 0), mac text not null) strict`,
      `create index audit_entry_actor on audit_entry (actor, seq)`,
      `create index audit_entry_action on audit_entry (action, seq)`,
      `create index audit_entry_at on audit_entry (at)`,
    ],
    async run(db, dialect) {
      const pruned = '(select coalesce(max(seq), 0) from audit_checkpoint)';
      const statements = dialect.shared
        ? [
            `create or replace function audit_refuse() returns trigger language plpgsql as $$ begin
              if tg_op = 'DELETE' and old.seq <= ${pruned} then return old; end if;
              raise exception 'audit_entry is append-only'; end $$`,
            `create function audit_refuse_checkpoint() returns trigger language plpgsql as $$ begin raise exception 'audit_checkpoint is append-only'; end $$`,
            `create trigger audit_checkpoint_fixed before update or delete on audit_checkpoint for each row execute function audit_refuse_checkpoint()`,
          ]
        : [
            `drop trigger audit_entry_kept`,
            `create trigger audit_entry_kept before delete on audit_entry when old.seq > ${pruned} begin select raise(abort, 'audit_entry is append-only'); end`,
            `create trigger audit_checkpoint_fixed before update on audit_checkpoint begin select raise(abort, 'audit_checkpoint is append-only'); end`,
            `create trigger audit_checkpoint_kept before delete on audit_checkpoint begin select raise(abort, 'audit_checkpoint is append-only'); end`,
          ];
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  },
];
