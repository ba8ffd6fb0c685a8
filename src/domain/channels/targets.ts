import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { ChannelKind } from './kind.ts';
import { LOCAL_CHAT } from './local.ts';
import { allChannels, findChannel, sendersOf, type ChannelRow } from './queries.ts';

/** One chat of one channel. */
export interface Target {
  readonly channel: ChannelRow;
  readonly kind: ChannelKind;
  readonly chat: string;
}

/** Where messages go. */
export interface Targets {
  /** Throws `channel.not_found`, `channel.disabled`, `channel.no_recipient`. */
  of(message: { readonly channel?: string | undefined; readonly to?: string | undefined }, db?: Db): Promise<Target[]>;
  /** Every chat by which the owner can be reached, the program's own surfaces left out. */
  everywhere(db?: Db): Promise<Target[]>;
  kindOf(channelId: string, db?: Db): Promise<ChannelKind | undefined>;
}

export interface TargetsDeps {
  readonly store: Store;
  readonly kinds: readonly ChannelKind[];
  /** Name of the channel that messages go to when nothing else is said; empty is the browser. */
  readonly defaultChannel: () => string;
}

export function createTargets({ store, kinds, defaultChannel }: TargetsDeps): Targets {
  const kindOf = (row: ChannelRow): ChannelKind | undefined => kinds.find(({ id }) => id === row.kind);

  async function channelFor(db: Db, name: string | undefined): Promise<ChannelRow> {
    if (name !== undefined) {
      const row = await findChannel(db, name);
      if (!row)
        throw new AppError(
          'not_found',
          'channel.not_found',
          `channel: there is no channel "${name}"; list them with "castellan channels list"`,
          { channel: name },
        );
      if (row.enabled === 0)
        throw new AppError('conflict', 'channel.disabled', `The channel "${row.name}" is switched off`, { channel: row.name });
      return row;
    }
    const wanted = defaultChannel();
    const rows = (await allChannels(db)).filter((row) => row.enabled === 1);
    const row =
      rows.find((each) => each.name === wanted) ??
      rows.find((each) => each.kind === 'web') ??
      rows.find((each) => kindOf(each)?.capabilities.local);
    if (!row)
      throw new AppError('conflict', 'channel.no_recipient', 'There is no channel to send by: add one with "castellan channels add"');
    return row;
  }

  async function chatsOf(db: Db, channel: ChannelRow, kind: ChannelKind): Promise<string[]> {
    if (kind.capabilities.local) return [LOCAL_CHAT];
    const senders = await sendersOf(db, channel.id);
    return [...new Set(senders.flatMap(({ status, chat }) => (status === 'paired' && chat !== null ? [chat] : [])))];
  }

  return {
    async of({ channel: name, to }, db = store.db) {
      const channel = await channelFor(db, name);
      const kind = kindOf(channel);
      if (!kind)
        throw new AppError('conflict', 'channel.unknown_kind', `This program has no channel of the kind ${channel.kind}`, {
          channel: channel.name,
        });
      const chats = to === undefined ? await chatsOf(db, channel, kind) : [to];
      if (chats.length === 0)
        throw new AppError(
          'conflict',
          'channel.no_recipient',
          `Nobody is paired with "${channel.name}": write to it, and let yourself in with "castellan channels pair CODE"`,
          { channel: channel.name },
        );
      return chats.map((chat) => ({ channel, kind, chat }));
    },

    async everywhere(db = store.db) {
      const found: Target[] = [];
      for (const channel of await allChannels(db)) {
        const kind = kindOf(channel);
        if (!kind || channel.enabled === 0 || kind.capabilities.local) continue;
        for (const chat of await chatsOf(db, channel, kind)) found.push({ channel, kind, chat });
      }
      return found;
    },

    async kindOf(channelId, db = store.db) {
      const row = await findChannel(db, channelId);
      return row && kindOf(row);
    },
  };
}
