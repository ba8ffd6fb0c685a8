import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { JobQueue } from '#core/db/queue';
import type { Store } from '#core/db/store';
import type { ErrorInfo } from '#core/errors';
import type { GuardedFetch } from '#core/fetch';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import { nursery, type NurseryChild } from '#core/nursery';
import type { Redact } from '#core/redact';
import type { Secret } from '#core/secret';
import type { Running, Service } from '#core/service';
import { supervisor } from '#core/supervisor';
import type { Borrower } from '#vault';
import { showApprovals } from './approval-cards.ts';
import { channelLife, type Tell } from './channel-life.ts';
import type { Command, CommandPorts } from './command.ts';
import { commands as allCommands } from './commands.ts';
import type { InboundRecord } from './contract.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createDirectory, type DefaultChannel, type Directory } from './directory.ts';
import { createDispatcher } from './dispatcher.ts';
import { createHandle, type Talk } from './handle.ts';
import { createHealthBook } from './health.ts';
import { createInbox, type Inbox } from './inbox.ts';
import type { ChannelKind, InboundMessage, PlatformAnswer, PlatformCall } from './kind.ts';
import { createOpenChannels } from './open-channels.ts';
import { createPairing, type Pairing } from './pairing.ts';
import { allChannels, deleteOldMessages, inboundOf, keyOfMessage, type ChannelRow, type InboundRow } from './queries.ts';
import { tellOfRuns } from './run-endings.ts';
import { createTargets } from './targets.ts';

const MOST_CHANNELS = 100;
const KEEP_MESSAGES_MS = 30 * 86_400_000;
const SWEEP_EVERY_MS = 6 * 3_600_000;
/** A channel that crashed too often in a row rests so long. */
const REST_AFTER_CRASHES_MS = 300_000;

/** Messages in and out. */
export interface Channels {
  readonly delivery: Delivery;
  readonly directory: Directory;
  readonly pairing: Pairing;
  readonly inbox: Inbox;
  readonly commands: readonly Command[];
  /** By how many chats the owner can be asked something now. */
  reach(): Promise<number>;
  /** A platform calls a channel of this id; null when there is none that takes calls, or the call is not the platform's. */
  answer(id: string, call: PlatformCall): Promise<PlatformAnswer | null>;
  received(
    channel: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ items: InboundRecord[]; next: string | null }>;
  /** Connects a channel anew after a change of its row; null disconnects. Does nothing while the service is not running. */
  reconnect(id: string): Promise<void>;
  readonly service: Service;
}

export interface ChannelsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly queue: JobQueue;
  readonly fetch: GuardedFetch;
  readonly audit: Audit;
  readonly secrets: { resolve(reference: string, by: Borrower): Promise<Secret> };
  readonly kinds: readonly ChannelKind[];
  readonly defaultChannel: DefaultChannel;
  readonly ports: CommandPorts;
  readonly talk: Talk;
  /** How platforms reach our public side, without a slash at its end; null when the owner gave none. */
  readonly publicUrl: string | null;
  readonly tell: Tell;
  readonly onError: (error: unknown) => void;
  /** Takes secrets out of what is sent. */
  readonly redact?: Redact;
  /** Refuses what may not be kept in plain text. */
  readonly refuse?: (value: Json, what: string) => void;
  /** Commands of this program; all of `commands.ts` when left out. */
  readonly commands?: readonly Command[];
  /** For pairing codes; the machine's generator when left out. */
  readonly random?: (bytes: number) => Uint8Array;
}

export function createChannels(deps: ChannelsDeps): Channels {
  const { store, bus, clock, newId, queue, kinds, audit, defaultChannel, tell, onError, commands = allCommands, random } = deps;
  const { redact = (text: string) => text, refuse = () => {} } = deps;
  const open = createOpenChannels(clock);
  const health = createHealthBook({ bus, clock });
  const targets = createTargets({ store, kinds, defaultChannel: defaultChannel.get });
  const directory = createDirectory({ store, bus, clock, newId, audit, kinds, health, defaultChannel, publicUrl: deps.publicUrl, refuse });
  const pairing = createPairing({ store, bus, clock, audit, ...(random && { random }) });
  const delivery = createDelivery({
    store,
    bus,
    clock,
    queue,
    open,
    targets,
    redact,
    onLost({ key, channel }, error) {
      if (key.startsWith('notification:')) return onError(error); // telling of it would go the same way
      tell({ key: `channel.lost:${channel}`, severity: 'warning', title: 'A message did not arrive', body: error.message });
    },
  });
  const dispatcher = createDispatcher({
    ports: deps.ports,
    commands,
    now: () => clock.now(),
    keyOf: (...where) => keyOfMessage(store.db, ...where),
  });
  const inbox = createInbox({
    store,
    bus,
    clock,
    queue,
    newId,
    handle: createHandle({ store, bus, clock, open, delivery, pairing, dispatcher, talk: deps.talk, onError }),
    onError,
    async onFailed({ id, channel, message }) {
      await store.write(async (tx) => {
        await delivery.post(tx, { key: `inbound:${id}:failed`, text: FAILED, channel, to: message.chat, repeatable: true });
      });
    },
  });
  const rooms = nursery('connections', { limit: MOST_CHANNELS, clock, intensity: { restarts: 10, withinMs: 60_000 } });
  const places = new Map<string, NurseryChild>();

  async function connect(row: ChannelRow, signal: AbortSignal): Promise<void> {
    const kind = kinds.find(({ id }) => id === row.kind);
    if (!kind || row.enabled === 0 || signal.aborted) return;
    const child = await rooms.add(channelLife(row, kind, { ...deps, open, health, inbox }));
    places.set(row.id, child);
    void child.done
      .then(async (crash) => {
        if (places.get(row.id) === child) places.delete(row.id);
        if (!crash || signal.aborted) return;
        health.set(row, 'broken', crash);
        tell({
          key: `channel.crashed:${row.id}`,
          severity: 'critical',
          title: `The channel "${row.name}" crashes`,
          body: 'It is left alone for five minutes, then tried again; see the log.',
        });
        await clock.sleep(REST_AFTER_CRASHES_MS, signal);
        const [now] = (await allChannels(store.db)).filter(({ id }) => id === row.id);
        if (now && !places.has(row.id)) await connect(now, signal);
      })
      .catch((error: unknown) => void (signal.aborted || onError(error)));
  }

  let running: AbortSignal | null = null;

  async function reconnect(id: string): Promise<void> {
    if (!running) return;
    await places.get(id)?.stop();
    const row = (await allChannels(store.db)).find((each) => each.id === id);
    if (row) await connect(row, running);
  }

  /** Opens what is configured, and again what changes. */
  const opener: Service = {
    name: 'opener',
    async start({ signal }): Promise<Running> {
      running = signal;
      await directory.seed();
      for (const row of await allChannels(store.db)) await connect(row, signal);
      await showApprovals({ store, bus, delivery, targets, ...deps.ports }, signal);
      tellOfRuns({ store, bus, delivery }, signal);
      bus.subscribe(
        'vault.changed',
        async ({ name }) => {
          const using = (await allChannels(store.db)).filter((row) => row.secrets.includes(`"@secret:${name}"`));
          for (const { id } of using) await reconnect(id);
        },
        signal,
      );
      const sweeping = sweep(signal);
      return {
        async stop() {
          running = null;
          await sweeping;
        },
      };
    },
  };

  async function sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await store.write((tx) => deleteOldMessages(tx, clock.now() - KEEP_MESSAGES_MS)).catch(onError);
      await clock.sleep(SWEEP_EVERY_MS, signal).catch(() => {});
    }
  }

  return {
    delivery,
    directory,
    pairing,
    inbox,
    commands,
    reach: async () => (await targets.everywhere()).length,
    reconnect,
    async answer(id, call) {
      const channel = open.find(id);
      return (await channel?.connection.answer?.(call, channel.ear)) ?? null;
    },
    async received(channel, { limit, cursor }) {
      const rows = await inboundOf(store.db, channel, limit + 1, cursor);
      return { items: rows.slice(0, limit).map(toRecord), next: rows.length > limit ? rows[limit - 1]!.id : null };
    },
    service: supervisor('channels', [rooms, opener, delivery.service, inbox.service], {
      strategy: 'rest_for_one',
      intensity: { restarts: 10, withinMs: 60_000 },
    }),
  };
}

const FAILED = 'I could not deal with your last message: something in me failed three times. Its trace is in the log.';

function toRecord(row: InboundRow): InboundRecord {
  const message = JSON.parse(row.payload) as InboundMessage;
  return {
    id: row.id,
    channel: row.channel,
    messageId: row.message_id,
    chat: row.chat,
    sender: message.sender,
    text: message.callback ? `[${message.callback.data}]` : message.text,
    status: row.status,
    attempts: row.attempts,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorInfo).message,
    at: new Date(row.received_at).toISOString(),
  };
}
