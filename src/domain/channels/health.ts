import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import { errorInfo } from '#core/errors';
import type { ChannelHealth } from './contract.ts';

type State = ChannelHealth['state'];

/** How each channel does, as its service tells it; told on the bus when the state changes. */
export interface HealthBook {
  of(channel: { readonly id: string; readonly enabled: number; readonly last_heard_at: number | null }): ChannelHealth;
  /** The platform answered. */
  alive(channel: { readonly id: string; readonly name: string }): void;
  set(channel: { readonly id: string; readonly name: string }, state: State, error?: unknown): void;
  forget(id: string): void;
}

interface Entry {
  readonly state: State;
  readonly lastOkAt: number | null;
  readonly lastError: ChannelHealth['lastError'];
}

export function createHealthBook({ bus, clock }: { readonly bus: Bus; readonly clock: Clock }): HealthBook {
  const entries = new Map<string, Entry>();
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const entryOf = (id: string): Entry => entries.get(id) ?? { state: 'connecting', lastOkAt: null, lastError: null };

  function of(channel: { readonly id: string; readonly enabled: number; readonly last_heard_at: number | null }): ChannelHealth {
    const { state, lastOkAt, lastError } = entryOf(channel.id);
    return { state: channel.enabled === 1 ? state : 'off', lastOkAt: iso(lastOkAt), lastHeardAt: iso(channel.last_heard_at), lastError };
  }

  function put({ id, name }: { readonly id: string; readonly name: string }, entry: Entry): void {
    const before = entries.get(id)?.state;
    entries.set(id, entry);
    if (before !== entry.state) bus.publish('channel.changed', { id, name, health: of({ id, enabled: 1, last_heard_at: null }) });
  }

  return {
    of,
    alive: (channel) => put(channel, { state: 'ok', lastOkAt: clock.now(), lastError: entryOf(channel.id).lastError }),
    set(channel, state, error) {
      const { lastOkAt, lastError } = entryOf(channel.id);
      const { code, message } = errorInfo(error);
      put(channel, { state, lastOkAt, lastError: error === undefined ? lastError : { code, message, at: iso(clock.now())! } });
    },
    forget: (id) => void entries.delete(id),
  };
}
