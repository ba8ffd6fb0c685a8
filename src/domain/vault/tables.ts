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
      /** Where its value may be sent, as patterns separated by commas; '' says nothing of it, and keeps skills from sending it. */
      hosts: string;
      expires_at: number | null;
      /** How often it was lent, over all versions. */
      uses: number;
    };
    /** Access to an outside service that the owner granted by OAuth. */
    vault_connection: {
      name: string;
      description: string;
      /** `OAuthClient` as JSON. */
      client: string;
      scope: string;
      hosts: string;
      state: 'new' | 'ok' | 'failing' | 'broken';
      /** Counts the tokens: it is part of what they are sealed to. */
      version: number;
      key_id: string | null;
      nonce: Uint8Array | null;
      /** `Tokens` as JSON; null without a grant. */
      sealed: Uint8Array | null;
      granted: string;
      access_expires_at: number | null;
      grant_expires_at: number | null;
      connected_at: number | null;
      renewed_at: number | null;
      /** Whoever renews holds the row until then. */
      renewing_until: number | null;
      retry_at: number | null;
      failures: number;
      problem: string | null;
      /** The break that the owner was told of. */
      told_of: string | null;
      created_at: number;
    };
    /** A grant under way. */
    vault_attempt: {
      /** SHA-256 of the state parameter, or an id for a device. */
      id: string;
      connection: string;
      flow: 'browser' | 'device';
      key_id: string;
      nonce: Uint8Array;
      /** The PKCE verifier, or the device code. */
      sealed: Uint8Array;
      redirect_uri: string;
      /** SHA-256 of the session that began it; '' for the command line. */
      bound_to: string;
      interval_ms: number;
      next_at: number;
      expires_at: number;
      actor: string;
    };
    /** One row once the vault was opened: which master key everything is sealed with. */
    vault_master: {
      id: number;
      key_id: string;
      /** How a passphrase becomes the key, as JSON; null for a key that is one by itself. */
      kdf: string | null;
      /** What is still to be done with the key file before, when a change of the key was cut off. */
      old_key: 'keep' | 'destroy' | null;
      changed_at: number;
    };
    /** What the keys for other purposes come from: a new one with each change of the master key, the old ones for checking. */
    vault_root: { generation: number; key_id: string; nonce: Uint8Array; sealed: Uint8Array; created_at: number };
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
  {
    name: 'vault-002-master',
    ddl: [
      `create table vault_master (
        id integer primary key check (id = 1), key_id text not null, kdf text,
        old_key text check (old_key in ('keep', 'destroy')), changed_at integer not null) strict`,
      `create table vault_root (
        generation integer primary key, key_id text not null, nonce blob not null check (length(nonce) = 12),
        sealed blob not null check (length(sealed) >= 16), created_at integer not null) strict`,
      `alter table vault_secret add column hosts text not null default ''`,
      `alter table vault_secret add column expires_at integer`,
      `alter table vault_secret add column uses integer not null default 0`,
    ],
  },
  {
    name: 'vault-003-connection',
    ddl: [
      `create table vault_connection (
        name text primary key, description text not null, client text not null, scope text not null, hosts text not null,
        state text not null check (state in ('new', 'ok', 'failing', 'broken')), version integer not null,
        key_id text, nonce blob check (length(nonce) = 12), sealed blob, granted text not null,
        access_expires_at integer, grant_expires_at integer, connected_at integer, renewed_at integer, renewing_until integer,
        retry_at integer, failures integer not null, problem text, told_of text, created_at integer not null,
        check ((sealed is null) = (key_id is null)), check ((sealed is null) = (nonce is null))) strict`,
      `create table vault_attempt (
        id text primary key, connection text not null, flow text not null check (flow in ('browser', 'device')),
        key_id text not null, nonce blob not null check (length(nonce) = 12), sealed blob not null, redirect_uri text not null,
        bound_to text not null, interval_ms integer not null, next_at integer not null, expires_at integer not null, actor text not null) strict`,
    ],
  },
];
