import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { breaksAt, isNearItsEnd } from './connection-info.ts';
import type { SealedTokens } from './connections.ts';
import type { OAuth, Refusal, Tokens } from './oauth.ts';
import type { OAuthClient } from './oauth-contract.ts';
import { allAttempts, allConnections, findConnection, updateConnection, type ConnectionRow } from './queries-connection.ts';

/** A token that holds no longer than this is renewed before it is lent. */
const LEAST_LEFT_MS = 60_000;
/** Whoever renews has so long; then another one may. */
const LEASE_MS = 45_000;
const LOOK_EVERY_MS = 60_000;
/** While a code is waited for on a device. */
const LOOK_OFTEN_MS = 1_000;
const FIRST_RETRY_MS = 30_000;
const SLOWEST_RETRY_MS = 3_600_000;
const WAIT_FOR_OTHER_MS = 250;

export interface RenewingDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
  readonly tell: (severity: 'warning' | 'critical', title: string, body: string) => void;
  readonly row: (db: Db, name: string) => Promise<ConnectionRow>;
  readonly open: (row: ConnectionRow) => Promise<SealedTokens>;
  readonly keep: (tx: Db, before: ConnectionRow, tokens: Tokens, set: Partial<ConnectionRow>) => Promise<void>;
  readonly oauthOf: (name: string) => OAuth;
  readonly clientOf: (row: ConnectionRow) => OAuthClient;
  readonly tellChanged: (name: string) => void;
  readonly takeRenewal: (tx: Db, name: string, now: number, until: number) => Promise<boolean>;
}

/**
 * ok ──renewed──▶ ok
 *  ├─ out of reach ──▶ failing (the access there is goes on until its end; tried again with growing pauses) ──▶ ok
 *  └─ refused ───────▶ broken (a rejected refresh token is cleared, the owner told once)
 *
 * One renewal at a time: within the process by a promise that all share, between processes by a lease in the row. New tokens are on disk before
 * anybody gets them. A crash between the answer of the service and that leaves the old refresh token, which is tried once more: services that
 * rotate them accept it again for a while, and for those that do not the owner is told.
 */
export function renewing(deps: RenewingDeps) {
  const { store, clock, audit, tell, row, open, keep, oauthOf, clientOf, tellChanged, takeRenewal } = deps;
  const underWay = new Map<string, Promise<void>>();
  let isWaited = false;

  function renew(name: string): Promise<void> {
    const going = underWay.get(name);
    if (going) return going;
    const started = renewOnce(name).finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  }

  async function renewOnce(name: string): Promise<void> {
    const before = await row(store.db, name);
    const now = clock.now();
    const isMine = await store.write((tx) => takeRenewal(tx, name, now, now + LEASE_MS));
    if (!isMine) return waitForOther(name, before.version, now + LEASE_MS);
    const current = await row(store.db, name); // another process may just have been done
    if (current.sealed === null) return giveUp(current, 'It was never granted, or its grant was taken back');
    const { refreshToken } = await open(current);
    if (refreshToken === null) return giveUp(current, 'The service gave no way to renew it');
    let answer: Tokens | Refusal;
    try {
      answer = await oauthOf(name).renew(clientOf(current), refreshToken, AbortSignal.timeout(LEASE_MS - 5_000));
    } catch (error) {
      await outOfReach(current, error);
      throw error;
    }
    if ('refused' in answer) return refused(current, answer);
    const tokens = answer;
    await store.write((tx) => keep(tx, current, tokens, { renewed_at: clock.now() }));
  }

  async function waitForOther(name: string, version: number, until: number): Promise<void> {
    while (clock.now() < until) {
      await clock.sleep(WAIT_FOR_OTHER_MS);
      const now = await row(store.db, name);
      if (now.version !== version || now.state === 'broken' || now.renewing_until === null) return;
    }
  }

  function broken(name: string, problem: string): AppError {
    return new AppError(
      'unauthenticated',
      'vault.connection_broken',
      `The connection "${name}" does not work: ${problem}. Connect it again: castellan connections login ${name}`,
      { name },
    );
  }

  async function giveUp({ name }: ConnectionRow, problem: string): Promise<never> {
    await store.write((tx) => updateConnection(tx, name, { renewing_until: null }));
    throw broken(name, problem);
  }

  /** A rejected refresh token is worth nothing, and is not kept; where the client was refused, it may still be good. */
  async function refused(before: ConnectionRow, { refused: code, why }: Refusal): Promise<never> {
    const { name } = before;
    const isGone = code === 'invalid_grant';
    await store.write(async (tx) => {
      const cleared = { key_id: null, nonce: null, sealed: null, access_expires_at: null, grant_expires_at: null };
      await updateConnection(tx, name, { state: 'broken', problem: why, renewing_until: null, retry_at: null, ...(isGone && cleared) });
      await audit.record(
        { actor: 'system', action: 'vault.connection_broken', resource: `connection:${name}`, details: { error: code, cleared: isGone } },
        tx,
      );
      tellChanged(name);
    });
    if (before.state !== 'broken')
      tell(
        'critical',
        `The connection "${name}" broke`,
        `The service says: ${why}. What needs it waits or fails until you connect it again: castellan connections login ${name}`,
      );
    throw broken(name, why);
  }

  async function outOfReach({ name, failures, access_expires_at: expiresAt, state }: ConnectionRow, error: unknown): Promise<void> {
    const now = clock.now();
    const problem = error instanceof AppError ? error.message : 'It could not be renewed';
    const pause = Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    const isOver = expiresAt !== null && expiresAt <= now;
    const toldOf = `unreachable ${expiresAt}`;
    await store.write(async (tx) => {
      const { told_of: before } = await row(tx, name);
      await updateConnection(tx, name, {
        state: 'failing',
        problem,
        renewing_until: null,
        retry_at: now + pause,
        failures: failures + 1,
        ...(isOver && { told_of: toldOf }),
      });
      if (isOver && before !== toldOf)
        store.onCommit(() => tell('warning', `The connection "${name}" cannot be renewed`, `${problem}. It is tried again by itself.`));
      if (state !== 'failing') tellChanged(name);
    });
  }

  async function accessToken(name: string): Promise<string> {
    const before = await row(store.db, name);
    const now = clock.now();
    const left = before.access_expires_at === null ? Infinity : before.access_expires_at - now;
    if (before.sealed === null) throw broken(name, before.problem ?? 'it was never granted');
    if (left > LEAST_LEFT_MS) return (await open(before)).accessToken;
    try {
      await renew(name);
    } catch (error) {
      if (left > 0 && (error as AppError).code === 'vault.connection_unreachable') return (await open(before)).accessToken;
      throw error;
    }
    const after = await row(store.db, name);
    if (after.sealed === null) throw broken(name, after.problem ?? 'it was taken back');
    return (await open(after)).accessToken;
  }

  /** Renews what ends soon, and tells of what will end for good. */
  async function lookAhead(signal: AbortSignal): Promise<void> {
    for (const { name } of await allConnections(store.db)) {
      const found = await findConnection(store.db, name);
      if (signal.aborted || !found || found.sealed === null || found.state === 'broken') continue;
      const renews = (await open(found)).refreshToken !== null;
      if (renews && isDue(found, clock.now())) await renew(name).catch(() => {}); // told of in its row
      await forecast((await findConnection(store.db, name)) ?? found, renews);
    }
    isWaited = (await allAttempts(store.db)).some(({ flow }) => flow === 'device');
  }

  function isDue(
    { access_expires_at: at, retry_at: retryAt, renewed_at: renewed, connected_at: connected }: ConnectionRow,
    now: number,
  ): boolean {
    if (at === null || (retryAt !== null && retryAt > now)) return false;
    const life = at - (renewed ?? connected ?? now);
    return at - now <= Math.min(300_000, Math.max(LEAST_LEFT_MS, life / 5));
  }

  async function forecast(found: ConnectionRow, renews: boolean): Promise<void> {
    const endsAt = breaksAt(found, renews);
    const began = found.connected_at ?? found.created_at;
    if (endsAt === null || found.sealed === null || !isNearItsEnd(endsAt, began, clock.now())) return;
    const toldOf = `end ${found.connected_at}`; // once for each grant, though a renewal may move its end
    if (found.told_of === toldOf) return;
    await store.write((tx) => updateConnection(tx, found.name, { told_of: toldOf }));
    const when = new Date(endsAt).toISOString().slice(0, 16).replace('T', ' ');
    tell(
      'warning',
      `The connection "${found.name}" ends on ${when} UTC`,
      `Connect it again before that, or what needs it stops: castellan connections login ${found.name}`,
    );
  }

  return { renew, accessToken, lookAhead, pauseMs: () => (isWaited ? LOOK_OFTEN_MS : LOOK_EVERY_MS) };
}
