import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';
import type { ChannelKind, Connection, Ear } from './kind.ts';

/** Who comes while a channel still connects waits so long. */
const PATIENCE_MS = 5_000;

/** A channel that is connected now. */
export interface OpenChannel {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly connection: Connection;
  /** Where calls of the platform go. */
  readonly ear: Ear;
}

/** The connections of the moment: channel services put theirs in, delivery takes them out. */
export interface OpenChannels {
  add(channel: OpenChannel): void;
  remove(id: string): void;
  find(id: string): OpenChannel | undefined;
  /** Waits a little for one that is not there yet. Throws `channel.not_running`. */
  get(id: string, signal: AbortSignal): Promise<OpenChannel>;
}

export function createOpenChannels(clock: Clock): OpenChannels {
  const open = new Map<string, OpenChannel>();
  const waiting = new Map<string, PromiseWithResolvers<void>>();

  function arrival(id: string): Promise<void> {
    const there = waiting.get(id) ?? Promise.withResolvers<void>();
    waiting.set(id, there);
    return there.promise;
  }

  return {
    add(channel) {
      open.set(channel.id, channel);
      waiting.get(channel.id)?.resolve();
      waiting.delete(channel.id);
    },
    remove: (id) => void open.delete(id),
    find: (id) => open.get(id),
    async get(id, signal) {
      const enough = new AbortController();
      if (!open.has(id))
        await Promise.race([
          arrival(id),
          clock.sleep(PATIENCE_MS, AbortSignal.any([signal, enough.signal])).catch(() => signal.throwIfAborted()),
        ]);
      enough.abort();
      const channel = open.get(id);
      if (!channel)
        throw new AppError('unavailable', 'channel.not_running', 'The channel is not connected now; see its health', { channel: id });
      return channel;
    },
  };
}
