import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    /** One row at most. `hash` is a PHC string of argon2id. */
    owner_password: { id: number; hash: string; set_at: number };
    owner_login_link: { code_hash: string; created_at: number; expires_at: number };
    owner_session: {
      id: string;
      token_hash: string;
      via: 'password' | 'link';
      address: string;
      user_agent: string;
      created_at: number;
      last_seen_at: number;
      expires_at: number;
    };
    owner_token: {
      id: string;
      token_hash: string;
      name: string;
      grants: string;
      created_by: string;
      created_at: number;
      expires_at: number | null;
      last_used_at: number | null;
    };
    /** Attempts of one address or account within the window that began at `since`. */
    owner_throttle: { key: string; attempts: number; since: number };
  }
}

export const ownerMigrations: readonly Migration[] = [
  {
    name: 'owner-001-login',
    ddl: [
      'create table owner_password (id integer primary key check (id = 1), hash text not null, set_at integer not null) strict',
      'create table owner_login_link (code_hash text primary key, created_at integer not null, expires_at integer not null) strict, without rowid',
      `create table owner_session (
        id text primary key, token_hash text not null unique, via text not null check (via in ('password', 'link')), address text not null,
        user_agent text not null, created_at integer not null, last_seen_at integer not null, expires_at integer not null) strict`,
      `create table owner_token (
        id text primary key, token_hash text not null unique, name text not null, grants text not null, created_by text not null,
        created_at integer not null, expires_at integer, last_used_at integer) strict`,
      'create table owner_throttle (key text primary key, attempts integer not null, since integer not null) strict, without rowid',
    ],
  },
];
