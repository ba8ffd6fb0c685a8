import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    /** One row at most. `hash` is a PHC string of argon2id. */
    owner_password: { id: number; hash: string; set_at: number };
    owner_login_link: { code_hash: string; created_at: number; expires_at: number };
    owner_session: {
      id: string;
      token_hash: string;
      via: 'password' | 'link' | 'passkey';
      /** What was given besides the password or the link; null where none was enrolled. */
      factor: 'totp' | 'passkey' | 'recovery' | null;
      address: string;
      user_agent: string;
      certificate: string | null;
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
      rate_per_minute: number | null;
      /** When the owner was told that its end is near. */
      warned_at: number | null;
    };
    /** Attempts of one address or account within the window that began at `since`. */
    owner_throttle: { key: string; attempts: number; since: number };
    /** `pending` until a code has proved it; the secret itself is in the vault under `secret`. */
    owner_totp: { state: 'pending' | 'active'; secret: string; created_at: number; last_step: number; last_used_at: number | null };
    owner_passkey: {
      id: string;
      /** Base64url, of the authenticator. */
      credential_id: string;
      public_key: Uint8Array;
      counter: number;
      /** JSON array of text. */
      transports: string;
      /** The host name that it is bound to. */
      rp_id: string;
      /** Whom the authenticator keeps it for; the same for all of this agent. */
      user_handle: string;
      name: string;
      /** Kept in a cloud, so that a loss of the device is no loss of the key. */
      backed_up: number;
      created_at: number;
      last_used_at: number | null;
    };
    owner_recovery_code: { code_hash: string; created_at: number; used_at: number | null };
    /** A second factor that is waited for; see `challenges.ts`. */
    owner_challenge: {
      id_hash: string;
      purpose: 'login' | 'passkey_login' | 'request' | 'enrol';
      /** Whom it was given to: a session, a token, an address. */
      subject: string;
      /** What it is good for. */
      act: string;
      /** What an authenticator must sign; empty where no passkey would do. */
      nonce: string;
      created_at: number;
      expires_at: number;
      attempts: number;
    };
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
  {
    name: 'owner-002-factors',
    ddl: [
      `create table owner_totp (
        state text primary key check (state in ('pending', 'active')), secret text not null, created_at integer not null,
        last_step integer not null, last_used_at integer) strict, without rowid`,
      `create table owner_passkey (
        id text primary key, credential_id text not null unique, public_key blob not null, counter integer not null, transports text not null,
        rp_id text not null, user_handle text not null, name text not null, backed_up integer not null, created_at integer not null,
        last_used_at integer) strict`,
      'create table owner_recovery_code (code_hash text primary key, created_at integer not null, used_at integer) strict, without rowid',
      `create table owner_challenge (
        id_hash text primary key, purpose text not null check (purpose in ('login', 'passkey_login', 'request', 'enrol')), subject text not null,
        act text not null, nonce text not null, created_at integer not null, expires_at integer not null, attempts integer not null) strict`,
      // the check of 'via' has a new word, which no statement can add to a table that is there
      'alter table owner_session rename to owner_session_before',
      `create table owner_session (
        id text primary key, token_hash text not null, via text not null check (via in ('password', 'link', 'passkey')),
        factor text check (factor in ('totp', 'passkey', 'recovery')), address text not null, user_agent text not null,
        created_at integer not null, last_seen_at integer not null, expires_at integer not null) strict`,
      `insert into owner_session (id, token_hash, via, address, user_agent, created_at, last_seen_at, expires_at)
        select id, token_hash, via, address, user_agent, created_at, last_seen_at, expires_at from owner_session_before`,
      'drop table owner_session_before',
      'create unique index owner_session_by_token on owner_session (token_hash)',
      'alter table owner_token add column rate_per_minute integer',
      'alter table owner_token add column warned_at integer',
    ],
  },
  { name: 'owner-003-certificate', ddl: ['alter table owner_session add column certificate text'] },
];
