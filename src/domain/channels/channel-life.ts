import { z } from 'zod';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { GuardedFetch } from '#core/fetch';
import { parseJson, AnyJson } from '#core/json';
import type { Secret } from '#core/secret';
import type { Run, Running, Service } from '#core/service';
import type { Borrower } from '#vault';
import { failureCode } from './failure.ts';
import type { HealthBook } from './health.ts';
import type { Inbox } from './inbox.ts';
import type { ChannelKind, Connection, Ear } from './kind.ts';
import type { OpenChannels } from './open-channels.ts';
import { findChannel, updateChannel, type ChannelRow } from './queries.ts';

/** What needs the owner is tried again now and then all the same: the token may have been mended elsewhere. */
const RETRY_BROKEN_MS = 300_000;
const SLOWEST_RETRY_MS = 60_000;
const NEEDS_OWNER: readonly string[] = ['channel.unauthorized', 'channel.no_public_url'];

export interface ChannelLifeDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly fetch: GuardedFetch;
  readonly secrets: { resolve(reference: string, by: Borrower): Promise<Secret> };
  readonly open: OpenChannels;
  readonly health: HealthBook;
  readonly inbox: Inbox;
  readonly tell: Tell;
  /** How platforms reach our public side, without a slash at its end. */
  readonly publicUrl: string | null;
}

/** Where a platform calls a channel. */
export function callbackUrlOf(publicUrl: string | null, channelId: string): string | null {
  return publicUrl === null ? null : `${publicUrl}/channels/${channelId}`;
}

/** A word to the owner; the same key is told once in a while. */
export type Tell = (notice: {
  readonly key: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly body: string;
}) => unknown;

/**
 * connecting → ok ⇄ failing (out of reach: tries again by itself) → ok
 *           └→ broken (credentials refused: the owner is told)
 * A life of its own for each channel: what the platform does is health, what we do wrong is a crash.
 */
export function channelLife(row: ChannelRow, kind: ChannelKind, deps: ChannelLifeDeps): Service {
  const { store, clock, open, health, inbox, tell } = deps;

  async function start(run: Run): Promise<Running> {
    health.set(row, 'connecting');
    const life = live(run.signal).catch((error: unknown) => {
      if (run.signal.aborted) return;
      health.set(row, 'failing', error);
      run.exit(error as Error);
    });
    return {
      async stop() {
        open.remove(row.id);
        await life;
      },
      health: () => {
        const { state, lastError } = health.of(row);
        return { ok: state === 'ok', detail: state === 'ok' || !lastError ? state : `${state}: ${lastError.message}` };
      },
    };
  }

  async function live(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      let connection: Connection | null = null;
      try {
        connection = await connect(signal);
        failures = 0;
        const ear = await openEar();
        open.add({ id: row.id, name: row.name, kind, connection, ear });
        health.alive(row);
        await listen(connection, ear, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof AppError)) throw error;
        failures += 1;
        await pause(error, failures, signal);
      } finally {
        open.remove(row.id);
        await connection?.close?.();
      }
    }
  }

  async function connect(signal: AbortSignal): Promise<Connection> {
    const references = parseJson(row.secrets, z.record(z.string(), z.string()), `secrets of channel ${row.name}`);
    const secrets = new Map<string, Secret>();
    for (const name of kind.secrets) {
      const reference = references[name];
      if (reference === undefined)
        throw new AppError('invalid', 'channel.unauthorized', `secrets.${name}: give a reference such as @secret:${row.name}`);
      secrets.set(name, await deps.secrets.resolve(reference, { as: [`channel:${row.name}`, `channel:${row.kind}`], purpose: 'connect' }));
    }
    const connection = await kind.open({
      channelId: row.id,
      config: parseJson(row.config, AnyJson, `config of channel ${row.name}`),
      secret: (name) => secrets.get(name)!,
      fetch: deps.fetch,
      clock,
      callbackUrl: callbackUrlOf(deps.publicUrl, row.id),
      signal,
    });
    await store.write((tx) => updateChannel(tx, row.id, { account: connection.account }));
    return connection;
  }

  async function openEar(): Promise<Ear> {
    const { cursor } = (await findChannel(store.db, row.id)) ?? row;
    return {
      cursor,
      receive: (batch) => inbox.receive(row.id, batch),
      alive: () => health.alive(row),
      trouble: (error) => health.set(row, 'failing', error),
    };
  }

  async function listen(connection: Connection, ear: Ear, signal: AbortSignal): Promise<void> {
    if (connection.listen) return connection.listen(ear, signal);
    return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
  }

  async function pause(error: AppError, failures: number, signal: AbortSignal): Promise<void> {
    const isBroken = NEEDS_OWNER.includes(failureCode(error)) || error.code.startsWith('vault.');
    health.set(row, isBroken ? 'broken' : 'failing', error);
    if (isBroken)
      tell({
        key: `channel.broken:${row.id}`,
        severity: 'critical',
        title: `The channel "${row.name}" cannot connect`,
        body: error.message,
      });
    await clock.sleep(isBroken ? RETRY_BROKEN_MS : Math.min(SLOWEST_RETRY_MS, 500 * 2 ** failures), signal).catch(() => {});
  }

  return { name: row.name, restart: 'permanent', stopTimeoutMs: 10_000, start };
}
