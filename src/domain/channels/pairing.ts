import { createHash, randomBytes } from 'node:crypto';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Sender } from './contract.ts';
import type { InboundMessage } from './kind.ts';
import {
  countCodes,
  findChannel,
  findSender,
  findSenderByCode,
  sendersOf,
  updateChannel,
  upsertSender,
  type SenderRow,
} from './queries.ts';

const CODE_LIFE_MS = 3_600_000;
/** A stranger who guesses the codes of an invitation is blocked after so many. */
const GUESSES_OF_ONE = 5;
/** An invitation ends after so many wrong codes of all strangers together. */
const GUESSES_OF_ALL = 20;
/** The owner's own slips: more in a while is a program that guesses. */
const SLIPS = 20;
/** Beyond this many open codes a channel answers no further strangers: somebody is playing with it. */
const CODES_AT_ONCE = 10;
/** Without I, O, 0 and 1, which are read wrongly. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * stranger ──(shown a code; the owner approves it)──▶ paired
 * stranger ──(sends the owner's invitation)──────────▶ paired
 * stranger ──(guesses)──▶ blocked ──(owner)──▶ stranger
 * Nobody becomes the owner by being first.
 */
export interface Pairing {
  /** In the caller's transaction: what to tell a stranger, at most once an hour; null is silence. */
  greet(tx: Db, channel: string, message: InboundMessage): Promise<string | null>;
  /** A stranger sent a code: whether it was the owner's invitation. */
  redeem(tx: Db, channel: string, message: InboundMessage, code: string): Promise<boolean>;
  /** The owner approves the code a stranger was shown; throws `channel.bad_code`, `channel.too_many_codes`. */
  approve(
    code: string,
    actor: string,
    channel?: string,
  ): Promise<{ readonly channel: string; readonly sender: Sender; readonly chat: string | null }>;
  /** A code that pairs who sends it. The one before is void. */
  invite(channel: string, actor: string): Promise<{ readonly code: string; readonly expiresAt: number }>;
  list(channel: string): Promise<Sender[]>;
  set(channel: string, sender: string, status: 'stranger' | 'blocked', actor: string): Promise<Sender>;
}

export interface PairingDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly random?: (bytes: number) => Uint8Array;
}

export function createPairing({ store, bus, clock, audit, random = randomBytes }: PairingDeps): Pairing {
  const slips: number[] = [];

  const newCode = (): string => Array.from(random(8), (byte) => LETTERS[byte % LETTERS.length]).join('');

  function assertNotGuessing(): void {
    while (slips[0] !== undefined && slips[0] < clock.now() - CODE_LIFE_MS) slips.shift();
    if (slips.length >= SLIPS)
      throw new AppError('limited', 'channel.too_many_codes', 'Too many wrong codes: wait an hour, then write to the bot for a new one');
  }

  async function pair(tx: Db, row: SenderRow, actor: string): Promise<Sender> {
    const paired: SenderRow = { ...row, status: 'paired', code_hash: null, code_expires_at: null, attempts: 0, paired_at: clock.now() };
    await upsertSender(tx, paired);
    await audit.record(
      { actor, action: 'channel.pair', resource: `channel:${row.channel}`, details: { sender: row.sender, name: row.name } },
      tx,
    );
    const sender = toSender(paired);
    store.onCommit(() => bus.publish('channel.paired', { id: row.channel, sender }));
    return sender;
  }

  async function known(tx: Db, channel: string, { sender, chat, isPrivate }: InboundMessage): Promise<SenderRow> {
    const row = await findSender(tx, channel, sender.id);
    const seen = { name: sender.name, last_seen_at: clock.now(), ...(isPrivate && { chat }) };
    if (row) return { ...row, ...seen };
    return {
      channel,
      sender: sender.id,
      chat: null,
      status: 'stranger',
      code_hash: null,
      code_expires_at: null,
      attempts: 0,
      paired_at: null,
      ...seen,
    };
  }

  return {
    async greet(tx, channel, message) {
      const row = await known(tx, channel, message);
      const now = clock.now();
      const isSilent = (row.code_expires_at ?? 0) > now || (await countCodes(tx, channel, now)) >= CODES_AT_ONCE;
      const code = isSilent ? null : newCode();
      await upsertSender(tx, code === null ? row : { ...row, code_hash: hashOf(code), code_expires_at: now + CODE_LIFE_MS });
      if (code === null) return null;
      store.onCommit(() => bus.publish('channel.stranger', { id: channel, sender: row.sender, name: row.name }));
      return `This assistant belongs to one person and does not know you. If that is you, let this chat in within an hour:\n\n\`castellan channels pair ${spelled(code)}\``;
    },

    async redeem(tx, channel, message, code) {
      const invitation = await findChannel(tx, channel);
      const row = await known(tx, channel, message);
      const isOpen = invitation?.invite_hash != null && (invitation.invite_expires_at ?? 0) > clock.now();
      if (isOpen && row.status === 'stranger' && invitation.invite_hash === hashOf(code)) {
        await updateChannel(tx, channel, { invite_hash: null, invite_expires_at: null, invite_attempts: 0 });
        await pair(tx, row, `channel:${channel}`);
        return true;
      }
      if (!isOpen) return false;
      const attempts = row.attempts + 1;
      await upsertSender(tx, { ...row, attempts, status: attempts >= GUESSES_OF_ONE ? 'blocked' : row.status });
      const all = invitation.invite_attempts + 1;
      await updateChannel(tx, channel, {
        invite_attempts: all,
        ...(all >= GUESSES_OF_ALL && { invite_hash: null, invite_expires_at: null }),
      });
      return false;
    },

    async approve(code, actor, channel) {
      assertNotGuessing();
      return store.write(async (tx) => {
        const row = await findSenderByCode(tx, hashOf(code), clock.now());
        if (!row || (channel !== undefined && row.channel !== channel)) {
          slips.push(clock.now());
          throw new AppError(
            'not_found',
            'channel.bad_code',
            'code: no stranger holds this code, or its hour is over; write to the bot again for a new one',
          );
        }
        return { channel: row.channel, sender: await pair(tx, row, actor), chat: row.chat };
      });
    },

    async invite(channel, actor) {
      const code = newCode();
      const expiresAt = clock.now() + CODE_LIFE_MS;
      await store.write(async (tx) => {
        await updateChannel(tx, channel, { invite_hash: hashOf(code), invite_expires_at: expiresAt, invite_attempts: 0 });
        await audit.record({ actor, action: 'channel.invite', resource: `channel:${channel}` }, tx);
      });
      return { code, expiresAt };
    },

    list: async (channel) => (await sendersOf(store.db, channel)).map(toSender),

    async set(channel, sender, status, actor) {
      return store.write(async (tx) => {
        const row = await findSender(tx, channel, sender);
        if (!row) throw new AppError('not_found', 'channel.no_sender', 'sender: nobody of this id has written to the channel', { sender });
        const changed: SenderRow = { ...row, status, code_hash: null, code_expires_at: null, attempts: 0, paired_at: null };
        await upsertSender(tx, changed);
        await audit.record(
          { actor, action: status === 'blocked' ? 'channel.block' : 'channel.unpair', resource: `channel:${channel}`, details: { sender } },
          tx,
        );
        return toSender(changed);
      });
    },
  };
}

/** Easier to copy: `K7QF-2M9X`. */
export function spelled(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

function hashOf(code: string): string {
  return createHash('sha256')
    .update(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
    .digest('hex');
}

function toSender(row: SenderRow): Sender {
  return {
    id: row.sender,
    name: row.name,
    chat: row.chat,
    status: row.status,
    pairedAt: row.paired_at === null ? null : new Date(row.paired_at).toISOString(),
    lastSeenAt: new Date(row.last_seen_at).toISOString(),
  };
}
