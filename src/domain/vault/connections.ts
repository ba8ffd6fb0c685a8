import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { FetchRequest, FetchResponse } from '#core/fetch';
import { check, parseJson } from '#core/json';
import { secret, type Secret } from '#core/secret';
import { describeConnection } from './connection-info.ts';
import type { Keyring, SealedRow } from './keyring.ts';
import type { Terms } from './lending.ts';
import { authorizeAddress, createOAuth, refusedBy, type Refusal, type Tokens } from './oauth.ts';
import { OAuthClient, type ConnectionInfo } from './oauth-contract.ts';
import {
  allAttempts,
  allConnections,
  deleteAttempts,
  deleteConnection,
  findConnection,
  insertAttempt,
  insertConnection,
  takeAttempt,
  takeRenewal,
  updateAttempt,
  updateConnection,
  type AttemptRow,
  type ConnectionRow,
} from './queries-connection.ts';
import { renewing } from './renewing.ts';
import type { Place } from './seal.ts';

const ATTEMPT_MS = 600_000;

const Sealed = z.object({ accessToken: z.string(), refreshToken: z.string().nullable() });
/** What is kept sealed of a grant. */
export type SealedTokens = z.infer<typeof Sealed>;

export interface ConnectionsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Pick<Audit, 'record'>;
  readonly keyring: Pick<Keyring, 'open' | 'reveal' | 'seal'>;
  readonly random: (bytes: number) => Buffer;
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>;
  readonly tell: (severity: 'warning' | 'critical', title: string, body: string) => void;
  /** The value of a client's secret, for sending it to its service. */
  readonly secretOf: (reference: string, by: { readonly connection: string; readonly to: string }) => Promise<Secret>;
  /** Tells the redactor what to look for; no values forgets them. */
  readonly learn: (name: string, values: readonly string[]) => void;
  readonly isTaken: (db: Db, name: string) => Promise<boolean>;
}

/** What the owner says of a connection. */
export interface NewConnection {
  readonly client: OAuthClient;
  readonly description?: string | undefined;
  readonly scope?: string | undefined;
  readonly hosts?: string | undefined;
}

/** Access to outside services that the owner granted by OAuth: got, kept fresh, lent like a secret, watched, and given back. */
export interface Connections {
  list(): Promise<readonly ConnectionInfo[]>;
  get(name: string): Promise<ConnectionInfo>;
  define(name: string, given: NewConnection, actor: string): Promise<ConnectionInfo>;
  /** Whether the service took the grant back too. */
  remove(name: string, actor: string, signal: AbortSignal): Promise<boolean>;
  /** An address to open, with a code to type in there for a device. `boundTo` names the session that alone may complete it. */
  start(
    name: string,
    about: { readonly flow: 'browser' | 'device'; readonly redirectUri: string; readonly boundTo: string },
    actor: string,
    signal: AbortSignal,
  ): Promise<{ url: string; userCode: string | null; expiresAt: string }>;
  complete(
    answer: {
      readonly state: string;
      readonly code?: string | undefined;
      readonly error?: string | undefined;
      readonly errorDescription?: string | undefined;
      readonly iss?: string | undefined;
    },
    boundTo: string,
    actor: string,
    signal: AbortSignal,
  ): Promise<ConnectionInfo>;
  renew(name: string): Promise<ConnectionInfo>;
  /** Null when there is none of that name. */
  terms(name: string): Promise<Terms | null>;
  /** A token that holds for another minute at least. Throws `vault.connection_broken`, `vault.connection_unreachable`. */
  token(name: string): Promise<Secret>;
  reseal(tx: Db, again: (place: Place, row: SealedRow) => SealedRow): Promise<number>;
  /** Tells the redactor of all tokens. */
  learnAll(): Promise<void>;
  /** Renews ahead of time, asks for grants on devices, and tells the owner before one breaks. */
  watch(signal: AbortSignal): Promise<void>;
}

const tokenPlace = ({ name, version }: Pick<ConnectionRow, 'name' | 'version'>): Place => ({ name: `connection:${name}`, version });
const attemptPlace = (id: string): Place => ({ name: `attempt:${id}`, version: 1 });
/** A row without a grant is never opened. */
const sealedOf = ({ key_id, nonce, sealed }: ConnectionRow): SealedRow => ({ key_id: key_id!, nonce: nonce!, sealed: sealed! });

export function createConnections(deps: ConnectionsDeps): Connections {
  const { store, clock, bus, audit, keyring, random, learn, isTaken } = deps;
  /** OAuth as seen by one connection. */
  const oauthOf = (name: string) =>
    createOAuth({ fetch: deps.fetch, now: clock.now, secretOf: (reference, to) => deps.secretOf(reference, { connection: name, to }) });
  const clientOf = (row: ConnectionRow): OAuthClient => parseJson(row.client, OAuthClient, `client of connection ${row.name}`);

  async function row(db: Db, name: string): Promise<ConnectionRow> {
    const found = await findConnection(db, name);
    if (!found)
      throw new AppError('not_found', 'vault.no_connection', `No connection "${name}": list them with "castellan connections list"`, {
        name,
      });
    return found;
  }

  async function info(name: string, db: Db = store.db): Promise<ConnectionInfo> {
    const found = await row(db, name);
    return describeConnection(found, clientOf(found), found.sealed === null ? null : await open(found));
  }

  async function open(found: ConnectionRow): Promise<SealedTokens> {
    return parseJson(await keyring.reveal(tokenPlace(found), sealedOf(found)), Sealed, `tokens of ${found.name}`);
  }

  function tellChanged(name: string): void {
    store.onCommit(() => bus.publish('connection.changed', { name }));
  }

  /** Puts new tokens in the place of those before; a refresh token that was not given anew goes on. */
  async function keep(tx: Db, before: ConnectionRow, tokens: Tokens, set: Partial<ConnectionRow>): Promise<void> {
    const old = before.sealed === null ? null : await open(before);
    const refreshToken = tokens.refreshToken ?? ('connected_at' in set ? null : (old?.refreshToken ?? null));
    const version = before.version + 1;
    const text = JSON.stringify({ accessToken: tokens.accessToken, refreshToken } satisfies SealedTokens);
    await updateConnection(tx, before.name, {
      ...(await keyring.seal(tx, tokenPlace({ name: before.name, version }), text)),
      version,
      state: 'ok',
      granted: tokens.scopes === null ? before.granted : tokens.scopes.join(' '),
      access_expires_at: tokens.accessExpiresAt,
      grant_expires_at: tokens.grantExpiresAt ?? ('connected_at' in set ? null : before.grant_expires_at),
      renewing_until: null,
      retry_at: null,
      failures: 0,
      problem: null,
      ...set,
    });
    learn(before.name, [tokens.accessToken, ...(refreshToken === null ? [] : [refreshToken]), ...(old ? [old.accessToken] : [])]);
    tellChanged(before.name);
    store.onCommit(() => bus.publish('vault.changed', { name: before.name, change: 'rotated' })); // whoever keeps the token asks anew
  }

  async function connected(name: string, tokens: Tokens, actor: string, flow: AttemptRow['flow']): Promise<void> {
    await store.write(async (tx) => {
      const now = clock.now();
      const before = await row(tx, name);
      const asked = clientOf(before).scopes;
      await keep(tx, before, { ...tokens, scopes: tokens.scopes ?? asked }, { connected_at: now, renewed_at: null, told_of: null });
      const details = { flow, scopes: tokens.scopes ?? asked, renews: tokens.refreshToken !== null };
      await audit.record({ actor, action: 'vault.connect', resource: `connection:${name}`, details }, tx);
    });
  }

  async function noteProblem(name: string, problem: string): Promise<void> {
    await store.write(async (tx) => {
      await updateConnection(tx, name, { problem });
      tellChanged(name);
    });
  }

  const renewals = renewing({ ...deps, row, open, keep, oauthOf, clientOf, tellChanged, takeRenewal });

  // ── grants on another device (RFC 8628) ───────────────────────────────────────────────────────────────────────────

  async function pollDevices(signal: AbortSignal): Promise<void> {
    const now = clock.now();
    await store.write((tx) => deleteAttempts(tx, now));
    for (const attempt of await allAttempts(store.db)) {
      if (attempt.flow === 'device' && attempt.next_at <= now) await pollDevice(attempt, signal).catch(() => {}); // asked again in a while
    }
  }

  async function pollDevice(attempt: AttemptRow, signal: AbortSignal): Promise<void> {
    const { id, connection: name, interval_ms: interval } = attempt;
    await store.write((tx) => updateAttempt(tx, id, { next_at: clock.now() + interval }));
    const client = clientOf(await row(store.db, name));
    let answer: Tokens | Refusal;
    try {
      answer = await oauthOf(name).pollDevice(client, await keyring.reveal(attemptPlace(id), attempt), signal);
    } catch (error) {
      await store.write((tx) => updateAttempt(tx, id, { next_at: clock.now() + interval * 2, interval_ms: interval * 2 })); // 3.5: back off
      throw error;
    }
    if (!('refused' in answer)) {
      if (await store.write((tx) => takeAttempt(tx, id))) await connected(name, answer, attempt.actor, 'device');
      return;
    }
    if (answer.refused === 'authorization_pending') return;
    if (answer.refused === 'slow_down') {
      const slower = interval + 5_000;
      return store.write((tx) => updateAttempt(tx, id, { interval_ms: slower, next_at: clock.now() + slower }));
    }
    await store.write((tx) => takeAttempt(tx, id));
    await noteProblem(name, answer.refused === 'expired_token' ? 'The code was not typed in in time: begin again' : answer.why);
  }

  return {
    async list() {
      return Promise.all((await allConnections(store.db)).map(({ name }) => info(name)));
    },
    get: (name) => info(name),

    async define(name, given, actor) {
      const client = check(given.client, OAuthClient, 'client');
      if (client.authorizeUrl === undefined && client.deviceUrl === undefined)
        throw new AppError('invalid', 'input.invalid', 'client.authorizeUrl: give it, or a deviceUrl: without both nobody can say yes');
      await store.write(async (tx) => {
        if (await isTaken(tx, name))
          throw new AppError('conflict', 'vault.name_taken', `name: there is a secret "${name}" already`, { name });
        const before = await findConnection(tx, name);
        const said = {
          client: JSON.stringify(client),
          ...(given.description !== undefined && { description: given.description }),
          ...(given.scope !== undefined && { scope: given.scope }),
          ...(given.hosts !== undefined && { hosts: given.hosts }),
        };
        if (!before) await insertConnection(tx, { ...fresh(name, clock.now()), ...said });
        else await updateConnection(tx, name, { ...said, ...(isSameService(clientOf(before), client) ? {} : NO_GRANT) });
        const { clientSecret: _, ...shown } = client;
        await audit.record(
          { actor, action: before ? 'vault.change_connection' : 'vault.add_connection', resource: `connection:${name}`, details: shown },
          tx,
        );
        tellChanged(name);
      });
      return info(name);
    },

    async remove(name, actor, signal) {
      const found = await row(store.db, name);
      const tokens = found.sealed === null ? null : await open(found);
      const revoked =
        tokens === null
          ? false
          : await oauthOf(name)
              .revoke(clientOf(found), tokens, signal)
              .catch(() => false);
      await store.write(async (tx) => {
        await deleteConnection(tx, name);
        await audit.record({ actor, action: 'vault.remove_connection', resource: `connection:${name}`, details: { revoked } }, tx);
        tellChanged(name);
      });
      return revoked;
    },

    async start(name, { flow, redirectUri, boundTo }, actor, signal) {
      await keyring.open();
      const client = clientOf(await row(store.db, name));
      const now = clock.now();
      const put = async (
        id: string,
        text: string,
        more: Pick<AttemptRow, 'redirect_uri' | 'bound_to' | 'interval_ms' | 'expires_at'>,
      ): Promise<void> =>
        store.write(async (tx) => {
          await deleteAttempts(tx, now);
          const sealed = await keyring.seal(tx, attemptPlace(id), text);
          await insertAttempt(tx, { id, connection: name, flow, ...sealed, ...more, next_at: now + more.interval_ms, actor });
        });
      if (flow === 'device') {
        const it = await oauthOf(name).device(client, signal);
        const expiresAt = now + it.expires_in * 1_000;
        const more = { redirect_uri: '', bound_to: '', interval_ms: it.interval * 1_000, expires_at: expiresAt };
        await put(random(16).toString('hex'), it.device_code, more);
        return {
          url: it.verification_uri_complete ?? it.verification_uri,
          userCode: it.user_code,
          expiresAt: new Date(expiresAt).toISOString(),
        };
      }
      const [state, verifier] = [random(32).toString('base64url'), random(32).toString('base64url')];
      const back = client.redirectUri ?? redirectUri;
      const url = authorizeAddress(client, { state, verifier, redirectUri: back });
      await put(hashed(state), verifier, { redirect_uri: back, bound_to: boundTo, interval_ms: 0, expires_at: now + ATTEMPT_MS });
      return { url, userCode: null, expiresAt: new Date(now + ATTEMPT_MS).toISOString() };
    },

    async complete({ state, code, error, errorDescription, iss }, boundTo, actor, signal) {
      const attempt = await store.write((tx) => takeAttempt(tx, hashed(state)));
      if (!attempt || attempt.flow !== 'browser' || attempt.expires_at <= clock.now())
        throw new AppError('invalid', 'vault.connection_state', 'This grant is not waited for any more: begin again', {});
      if (attempt.bound_to !== '' && attempt.bound_to !== boundTo)
        throw new AppError('forbidden', 'vault.connection_session', 'This grant was begun in another session: begin again in this one');
      const { connection: name } = attempt;
      const client = clientOf(await row(store.db, name));
      if (client.issuer !== undefined && iss !== undefined && iss !== client.issuer)
        throw new AppError('forbidden', 'vault.connection_issuer', `The answer came from ${iss.slice(0, 100)}, not from ${client.issuer}`);
      if (error !== undefined || code === undefined) {
        const why = errorDescription ?? error ?? 'no code came back';
        await noteProblem(name, why);
        throw refusedBy(client.tokenUrl, { refused: error ?? 'no_code', why });
      }
      const verifier = await keyring.reveal(attemptPlace(attempt.id), attempt);
      const answer = await oauthOf(name).exchange(client, { code, verifier, redirectUri: attempt.redirect_uri }, signal);
      if ('refused' in answer) {
        await noteProblem(name, answer.why);
        throw refusedBy(client.tokenUrl, answer);
      }
      await connected(name, answer, actor, 'browser');
      return info(name);
    },

    async renew(name) {
      await renewals.renew(name);
      return info(name);
    },

    async terms(name) {
      const found = await findConnection(store.db, name);
      return found ? { name, scope: found.scope, hosts: found.hosts } : null;
    },

    token: async (name) => secret(await renewals.accessToken(name)),

    async reseal(tx, again) {
      const [all, attempts] = [await allConnections(tx), await allAttempts(tx)];
      for (const each of all) if (each.sealed !== null) await updateConnection(tx, each.name, again(tokenPlace(each), sealedOf(each)));
      for (const each of attempts) await updateAttempt(tx, each.id, again(attemptPlace(each.id), each));
      return all.filter(({ sealed }) => sealed !== null).length;
    },

    async learnAll() {
      for (const each of await allConnections(store.db)) {
        if (each.sealed === null) continue;
        const tokens = await open(each).catch(() => null);
        if (tokens) learn(each.name, [tokens.accessToken, ...(tokens.refreshToken === null ? [] : [tokens.refreshToken])]);
      }
    },

    async watch(signal) {
      while (!signal.aborted) {
        await pollDevices(signal).catch(() => {}); // a store that is away is told of elsewhere
        await renewals.lookAhead(signal).catch(() => {});
        await clock.sleep(renewals.pauseMs(), signal).catch(() => {});
      }
    },
  };
}

const NO_GRANT = {
  state: 'new',
  key_id: null,
  nonce: null,
  sealed: null,
  granted: '',
  access_expires_at: null,
  grant_expires_at: null,
  connected_at: null,
  renewed_at: null,
  renewing_until: null,
  retry_at: null,
  failures: 0,
  problem: null,
  told_of: null,
} as const;

function fresh(name: string, now: number): Omit<ConnectionRow, 'client'> {
  return { name, description: '', scope: 'any', hosts: '', version: 0, created_at: now, ...NO_GRANT };
}

/** A grant belongs to a client at a service: with another one it is worth nothing, and must not be shown to it. */
function isSameService(a: OAuthClient, b: OAuthClient): boolean {
  return (
    a.tokenUrl === b.tokenUrl &&
    a.clientId === b.clientId &&
    (a.revokeUrl === b.revokeUrl || b.revokeUrl === undefined || sameOrigin(b.revokeUrl, a.tokenUrl))
  );
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}

function hashed(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}
