import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    vault_secret: {
      name: string;
      version: number;
      /** Which master key sealed it. */
      key_id: string;
      nonce: Uint8Array;
      /** Ciphertext and its 16-byte tag. */
      sealed: Uint8Array;
      scope: string;
      description: string;
      /** This version; `first_at` is the first one of the name. */
      created_at: number;
      first_at: number;
      /** Set when a newer version took over: until then this one is still accepted. */
      retires_at: number | null;
      last_used_at: number | null;
    };
  }
}

export const vaultMigrations: readonly Migration[] = [
  {
    name: 'vault-001-secret',
    ddl: [
      `create table vault_secret (
        name text not null, version integer not null check (version > 0), key_id text not null,
        nonce blob not null check (length(nonce) = 12), sealed blob not null check (length(sealed) >= 16),
        scope text not null, description text not null,
        created_at integer not null, first_at integer not null, retires_at integer, last_used_at integer,
        primary key (name, version)) strict, without rowid`,
      `create unique index vault_secret_current on vault_secret (name) where retires_at is null`,
    ],
  },
];
