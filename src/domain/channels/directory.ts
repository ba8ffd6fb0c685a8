import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { check, parseJson, AnyJson, type Json } from '#core/json';
import { z } from 'zod';
import { callbackUrlOf } from './channel-life.ts';
import { ChannelPatch, NewChannel, type Channel } from './contract.ts';
import type { HealthBook } from './health.ts';
import type { ChannelKind } from './kind.ts';
import { allChannels, deleteChannel, findChannel, insertChannel, pairedSenders, updateChannel, type ChannelRow } from './queries.ts';

/** The channels as the owner configures them. */
export interface Directory {
  list(): Promise<Channel[]>;
  /** By id or name. Throws `channel.not_found`. */
  row(idOrName: string): Promise<ChannelRow>;
  show(row: ChannelRow): Promise<Channel>;
  /** Throws `channel.exists`, `channel.unknown_kind`, `channel.secret_missing`, and what the kind's settings say of the config. */
  add(input: unknown, actor: string): Promise<ChannelRow>;
  change(idOrName: string, patch: unknown, actor: string): Promise<ChannelRow>;
  remove(idOrName: string, actor: string): Promise<ChannelRow>;
  /** The rows of channels that are always there: browser and terminal. */
  seed(): Promise<void>;
  /** A channel for a token that the environment of the first start gave; returns it when it is new. */
  seedFrom(seed: { readonly kind: string; readonly secret: string; readonly config?: Json }): Promise<ChannelRow | null>;
}

/** Which channel messages go to when nothing else is said: a setting that holds its name. */
export interface DefaultChannel {
  get(): string;
  set(name: string, actor: string): Promise<void>;
}

export interface DirectoryDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  readonly kinds: readonly ChannelKind[];
  readonly health: HealthBook;
  readonly defaultChannel: DefaultChannel;
  readonly publicUrl: string | null;
  /** Refuses what may not be kept in plain text. */
  readonly refuse: (value: Json, what: string) => void;
}

export function createDirectory({
  store,
  bus,
  clock,
  newId,
  audit,
  kinds,
  health,
  defaultChannel,
  publicUrl,
  refuse,
}: DirectoryDeps): Directory {
  async function row(idOrName: string, db: Db = store.db): Promise<ChannelRow> {
    const found = await findChannel(db, idOrName);
    if (!found)
      throw new AppError('not_found', 'channel.not_found', `There is no channel "${idOrName}"; list them with "castellan channels list"`, {
        channel: idOrName,
      });
    return found;
  }

  function kindOf(id: string): ChannelKind {
    const kind = kinds.find((each) => each.id === id);
    if (!kind)
      throw new AppError('invalid', 'channel.unknown_kind', `kind: ${id} is none of ${kinds.map((each) => each.id).join(', ')}`, {
        kind: id,
      });
    return kind;
  }

  /** The config as the kind reads it, defaults filled in. */
  function checked(
    kind: ChannelKind,
    name: string,
    config: Json,
    secrets: Readonly<Record<string, string>>,
  ): { config: string; secrets: string } {
    refuse(config, 'config');
    refuse(secrets, 'secrets');
    const missing = kind.secrets.find((each) => secrets[each] === undefined);
    if (missing !== undefined)
      throw new AppError(
        'invalid',
        'channel.secret_missing',
        `secrets.${missing}: set the secret first ("castellan secret set ${name}"), then give @secret:${name}`,
        { field: `secrets.${missing}` },
      );
    const extra = Object.keys(secrets).find((each) => !kind.secrets.includes(each));
    if (extra !== undefined)
      throw new AppError(
        'invalid',
        'channel.unknown_secret',
        `secrets.${extra}: ${kind.title} needs ${kind.secrets.join(', ') || 'none'}`,
        { field: `secrets.${extra}` },
      );
    return { config: JSON.stringify(check(config, kind.settings, 'config')), secrets: JSON.stringify(secrets) };
  }

  async function assertFree(tx: Db, name: string, id: string): Promise<void> {
    const other = await findChannel(tx, name);
    if (other && other.id !== id) throw new AppError('conflict', 'channel.exists', `name: another channel is called ${name}`, { name });
  }

  function show(channel: ChannelRow, paired: number): Channel {
    return {
      id: channel.id,
      kind: channel.kind,
      name: channel.name,
      config: parseJson(channel.config, AnyJson, 'config'),
      secrets: parseJson(channel.secrets, z.record(z.string(), z.string()), 'secrets'),
      enabled: channel.enabled === 1,
      isDefault: defaultChannel.get() === channel.name || (defaultChannel.get() === '' && channel.kind === 'web'),
      account: channel.account,
      callbackUrl: kinds.find(({ id }) => id === channel.kind)?.capabilities.push ? callbackUrlOf(publicUrl, channel.id) : null,
      health: health.of(channel),
      paired,
      createdAt: new Date(channel.created_at).toISOString(),
      updatedAt: new Date(channel.updated_at).toISOString(),
    };
  }

  async function add(input: unknown, actor: string): Promise<ChannelRow> {
    const given = check(input, NewChannel, 'channel');
    const kind = kindOf(given.kind);
    const now = clock.now();
    const fresh: ChannelRow = {
      ...emptyRow(newId(), given.kind, given.name, now),
      ...checked(kind, given.name, given.config, given.secrets),
      enabled: given.enabled ? 1 : 0,
    };
    await store.write(async (tx) => {
      await assertFree(tx, fresh.name, fresh.id);
      await insertChannel(tx, fresh);
      await audit.record({ actor, action: 'channel.add', resource: `channel:${fresh.name}`, details: { kind: kind.id } }, tx);
    });
    return fresh;
  }

  return {
    row,

    async list() {
      const [channels, paired] = await Promise.all([allChannels(store.db), pairedSenders(store.db)]);
      return channels.map((channel) => show(channel, paired.filter((sender) => sender.channel === channel.id).length));
    },

    async show(channel) {
      const paired = await pairedSenders(store.db);
      return show(channel, paired.filter((sender) => sender.channel === channel.id).length);
    },

    add,

    async change(idOrName, patch, actor) {
      const given = check(patch, ChannelPatch, 'channel');
      const before = await row(idOrName);
      const after = await store.write(async (tx) => {
        const now = await row(before.id, tx);
        const kind = kindOf(now.kind);
        const name = given.name ?? now.name;
        await assertFree(tx, name, now.id);
        const config = given.config ?? parseJson(now.config, AnyJson, 'config');
        const secrets = given.secrets ?? parseJson(now.secrets, z.record(z.string(), z.string()), 'secrets');
        const set = {
          name,
          ...checked(kind, name, config, secrets),
          enabled: given.enabled === undefined ? now.enabled : given.enabled ? 1 : 0,
          updated_at: clock.now(),
        };
        await updateChannel(tx, now.id, set);
        await audit.record({ actor, action: 'channel.change', resource: `channel:${name}`, details: { fields: Object.keys(given) } }, tx);
        return { ...now, ...set };
      });
      if (given.isDefault || (after.name !== before.name && defaultChannel.get() === before.name))
        await defaultChannel.set(after.name, actor);
      return after;
    },

    async remove(idOrName, actor) {
      const gone = await row(idOrName);
      if (kinds.find(({ id }) => id === gone.kind)?.capabilities.local)
        throw new AppError('conflict', 'channel.built_in', `"${gone.name}" belongs to the program; switch it off instead`, {
          channel: gone.name,
        });
      await store.write(async (tx) => {
        await deleteChannel(tx, gone.id);
        await audit.record({ actor, action: 'channel.remove', resource: `channel:${gone.name}` }, tx);
        store.onCommit(() => bus.publish('channel.removed', { id: gone.id, name: gone.name }));
      });
      health.forget(gone.id);
      if (defaultChannel.get() === gone.name) await defaultChannel.set('', actor);
      return gone;
    },

    async seedFrom({ kind, secret, config = {} }) {
      if ((await allChannels(store.db)).some((each) => each.kind === kind)) return null;
      const [name = 'token'] = kindOf(kind).secrets;
      return add({ kind, name: kind, config, secrets: { [name]: secret } }, 'system');
    },

    async seed() {
      const there = await allChannels(store.db);
      const missing = kinds.filter((kind) => kind.capabilities.local && !there.some((each) => each.kind === kind.id));
      await store.write(async (tx) => {
        for (const { id } of missing) await insertChannel(tx, emptyRow(newId(), id, id, clock.now()));
      });
    },
  };
}

function emptyRow(id: string, kind: string, name: string, now: number): ChannelRow {
  return {
    id,
    kind,
    name,
    config: '{}',
    secrets: '{}',
    enabled: 1,
    account: null,
    cursor: null,
    last_heard_at: null,
    invite_hash: null,
    invite_expires_at: null,
    invite_attempts: 0,
    created_at: now,
    updated_at: now,
  };
}
