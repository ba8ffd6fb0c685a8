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
];
