import type { Migration } from '#core/db/migration';
import type { SenderStatus } from './contract.ts';

declare module '#core/db/store' {
  interface Tables {
    channel_channel: {
      id: string;
      kind: string;
      name: string;
      config: string;
      secrets: string;
      enabled: number;
      account: string | null;
      cursor: string | null;
      last_heard_at: number | null;
      invite_hash: string | null;
      invite_expires_at: number | null;
      invite_attempts: number;
      created_at: number;
      updated_at: number;
    };
    channel_sender: {
      channel: string;
      sender: string;
      name: string;
      chat: string | null;
      status: SenderStatus;
      code_hash: string | null;
      code_expires_at: number | null;
      attempts: number;
      paired_at: number | null;
      last_seen_at: number;
    };
    channel_inbound: {
      id: string;
      channel: string;
      message_id: string;
      chat: string;
      sender: string;
      /** `control` is never behind talk, so that a running answer can be cancelled and its questions answered. */
      lane: 'control' | 'talk';
      payload: string;
      status: 'received' | 'handled' | 'failed' | 'ignored';
      attempts: number;
      error: string | null;
      received_at: number;
      ended_at: number | null;
    };
    channel_outbound: {
      /** The caller's key and the chat: one message may go to several. */
      id: string;
      key: string;
      channel: string;
      chat: string;
      /** draft: its text still grows; open: parts are left to send; sent: all are; failed: given up. */
      status: 'draft' | 'open' | 'sent' | 'failed';
      /** Better twice than not at all: after a crash it is sent again. */
      repeatable: number;
      reply_to: string | null;
      error: string | null;
      created_at: number;
      ended_at: number | null;
    };
    channel_outbound_part: {
      outbound: string;
      part: number;
      text: string;
      plain: string;
      buttons: string;
      /** pending → sending → sent; sending → unknown when nobody can say whether it arrived; stale: was sent, its text is to be replaced. */
      state: 'pending' | 'sending' | 'sent' | 'unknown' | 'stale';
      channel: string;
      chat: string;
      message_id: string | null;
    };
  }
}

export const channelMigrations: readonly Migration[] = [
  {
    name: 'channels-001-channel',
    ddl: [
      `create table channel_channel (
        id text primary key, kind text not null, name text not null unique, config text not null, secrets text not null,
        enabled integer not null check (enabled in (0, 1)), account text, cursor text, last_heard_at integer,
        invite_hash text, invite_expires_at integer, invite_attempts integer not null default 0,
        created_at integer not null, updated_at integer not null) strict, without rowid`,
      `create table channel_sender (
        channel text not null references channel_channel (id) on delete cascade, sender text not null, name text not null, chat text,
        status text not null check (status in ('stranger', 'paired', 'blocked')), code_hash text, code_expires_at integer,
        attempts integer not null default 0, paired_at integer, last_seen_at integer not null,
        primary key (channel, sender)) strict, without rowid`,
      `create table channel_inbound (
        id text primary key, channel text not null references channel_channel (id) on delete cascade, message_id text not null,
        chat text not null, sender text not null, lane text not null check (lane in ('control', 'talk')), payload text not null,
        status text not null check (status in ('received', 'handled', 'failed', 'ignored')), attempts integer not null default 0,
        error text, received_at integer not null, ended_at integer, unique (channel, message_id)) strict`,
      `create index channel_inbound_open on channel_inbound (channel, chat, lane, id) where status = 'received'`,
      `create index channel_inbound_old on channel_inbound (received_at)`,
    ],
  },
  {
    name: 'channels-002-outbound',
    ddl: [
      `create table channel_outbound (
        id text primary key, key text not null, channel text not null references channel_channel (id) on delete cascade, chat text not null,
        status text not null check (status in ('draft', 'open', 'sent', 'failed')), repeatable integer not null check (repeatable in (0, 1)),
        reply_to text, error text,
        created_at integer not null, ended_at integer) strict, without rowid`,
      `create index channel_outbound_key on channel_outbound (key)`,
      `create index channel_outbound_old on channel_outbound (created_at)`,
      `create table channel_outbound_part (
        outbound text not null references channel_outbound (id) on delete cascade, part integer not null, text text not null, plain text not null,
        buttons text not null, state text not null check (state in ('pending', 'sending', 'sent', 'unknown', 'stale')),
        channel text not null, chat text not null, message_id text, primary key (outbound, part)) strict`,
      `create index channel_outbound_part_message on channel_outbound_part (channel, chat, message_id)`,
    ],
  },
];
