import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { hurriedClock } from '#core/clock';
import { createOutbox } from '#core/db/outbox';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { outboxMigrations } from '#core/db/outbox';
import { memoryStore, type TestStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { createFetch } from '#core/fetch';
import type { Json } from '#core/json';
import { uuidv7 } from '#core/ids';
import { secret } from '#core/secret';
import type { Running } from '#core/service';
import { createApprovals, policyMigrations, starterRules } from '#policy';
import { rulesOnly } from '#policy/testing';
import type { RunSummary } from '#runs/contract';
import type { WorkflowSummary } from '#workflows/contract';
import { createChannels, type Channels, type ChannelsDeps } from './channels.ts';
import type { CommandPorts } from './command.ts';
import type { ChannelKind, PlatformAnswer, PlatformCall } from './kind.ts';
import { channelKinds } from './kinds.ts';
import type { Talk } from './handle.ts';
import { channelMigrations } from './tables.ts';
import { FAKE_TOKEN, fakeTelegram, type FakeTelegram } from './telegram/fake-telegram.ts';
import { telegram as telegramKind } from './telegram/index.ts';

/** A program's worth of neighbours for channels: everything real that is cheap, the rest in memory. */
export interface Testbed extends AsyncDisposable {
  readonly store: TestStore;
  readonly telegram: FakeTelegram;
  readonly channels: Channels;
  readonly approvals: ReturnType<typeof createApprovals>;
  readonly started: { readonly workflow: string; readonly input: unknown; readonly key: string }[];
  readonly told: { readonly key: string; readonly title: string }[];
  readonly errors: unknown[];
  /** Id of the channel. */
  readonly id: string;
  /** The public side, at which platforms call; without a slash at its end. */
  readonly publicUrl: string;
  /** Ends the program: at once and without a word when `rude`, and starts another on the same store. */
  restart(how?: { readonly rude?: boolean }): Promise<void>;
  stop(): Promise<void>;
  /** Lets this Telegram user in. */
  pair(user: number): Promise<void>;
}

export interface TestbedOptions {
  readonly talk?: Talk;
  readonly deps?: Partial<ChannelsDeps>;
  readonly ports?: Partial<CommandPorts>;
  readonly openStore?: typeof memoryStore;
  /** Users that are paired from the start; their private chat has their id, unless it is given. */
  readonly paired?: readonly (number | { readonly sender: string; readonly chat: string })[];
  /** The channel, in place of one to the fake Telegram. */
  readonly channel?: TestChannel;
}

/** A channel of any kind, with the values of its secrets. */
export interface TestChannel {
  readonly kind: ChannelKind;
  readonly config: Json;
  readonly secrets: Readonly<Record<string, string>>;
}

export async function testbed({
  talk = echo,
  deps = {},
  ports = {},
  paired = [],
  openStore = memoryStore,
  channel,
}: TestbedOptions = {}): Promise<Testbed> {
  const store = await openStore(queueMigrations, outboxMigrations, policyMigrations, channelMigrations);
  const telegram = await fakeTelegram();
  const { kind, config, secrets }: TestChannel = channel ?? {
    kind: telegramKind,
    config: { apiRoot: telegram.root },
    secrets: { token: FAKE_TOKEN },
  };
  const door = await openDoor((at, call) => life.channels.answer(at, call));
  const fetch = createFetch();
  const newId = uuidv7();
  const clock = hurriedClock(20);
  const started: { workflow: string; input: unknown; key: string }[] = [];
  const told: { key: string; title: string }[] = [];
  const errors: unknown[] = [];
  let defaultName = '';
  const dropped: Running[] = [];
  let life: { channels: Channels; approvals: ReturnType<typeof createApprovals>; running: Running; end: AbortController };

  async function open(): Promise<void> {
    const bus = createBus((_, error) => void errors.push(error));
    const queue = createLocalQueue({ store, clock, newId, onError: (_, error) => void errors.push(error) });
    const outbox = createOutbox({ store, bus, clock, newId });
    const audit = fakeAudit();
    const approvals = createApprovals({ store, outbox, queue, clock, newId, audit });
    const channels = createChannels({
      store,
      bus,
      clock,
      newId,
      queue,
      fetch,
      audit,
      kinds: channel ? [channel.kind, ...channelKinds.filter((each) => each.id !== channel.kind.id)] : channelKinds,
      publicUrl: door.url,
      secrets: {
        resolve: async (reference) => {
          const value = secrets[reference.replace('@secret:', '')];
          if (value === undefined) throw new AppError('not_found', 'vault.no_secret', 'No such secret');
          return secret(value);
        },
      },
      defaultChannel: { get: () => defaultName, set: async (name) => void (defaultName = name) },
      ports: { ...fakePorts(started), approvals, ...ports },
      talk,
      tell: (notice) => void told.push(notice),
      onError: (error) => void errors.push(error),
      ...deps,
    });
    const end = new AbortController();
    const running = await channels.service.start({ signal: end.signal, exit: (cause) => void errors.push(cause) });
    life = { channels, approvals, running, end };
  }

  async function stop(): Promise<void> {
    life.end.abort();
    await life.running.stop();
  }

  await open();
  const { id } = kind.capabilities.local
    ? await life!.channels.directory.row(kind.id)
    : await life!.channels.directory.add(
        {
          kind: kind.id,
          name: kind.id,
          config,
          secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, `@secret:${name}`])),
        },
        'owner',
      );
  for (const user of paired) {
    const row = {
      channel: id,
      ...(typeof user === 'number' ? { sender: String(user), chat: String(user) } : user),
      name: 'The owner',
      status: 'paired' as const,
      code_hash: null,
      code_expires_at: null,
      attempts: 0,
      paired_at: 1,
      last_seen_at: 1,
    };
    await store.write(async (tx) => void (await tx.insertInto('channel_sender').values(row).execute()));
  }
  await life!.channels.reconnect(id);

  return {
    store,
    telegram,
    started,
    told,
    errors,
    id,
    publicUrl: door.url,
    get channels() {
      return life.channels;
    },
    get approvals() {
      return life.approvals;
    },
    async restart({ rude = false } = {}) {
      if (rude) dropped.push(life.running);
      else await stop();
      life.end.abort();
      await open();
    },
    stop,
    async pair(user) {
      telegram.say('hello', { from: user });
      const shown = (): string | undefined =>
        telegram
          .sentTo(user)
          .map(({ text }) => /pair (\S+)$/.exec(text)?.[1])
          .find(Boolean);
      await telegram.until(() => shown() !== undefined);
      await life.channels.pairing.approve(shown()!, 'owner');
    },
    async [Symbol.asyncDispose]() {
      await stop();
      for (const each of dropped) await each.stop();
      await telegram[Symbol.asyncDispose]();
      await door[Symbol.asyncDispose]();
      await fetch.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** The public side of the program, as far as channels see of it. */
async function openDoor(
  answer: (id: string, call: PlatformCall) => Promise<PlatformAnswer | null>,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', url: target = '', headers } = request;
      const id = /^\/channels\/([\w-]+)$/.exec(target)?.[1] ?? '';
      return answer(id, { method, target, headers, body: Buffer.concat(chunks) });
    })().then(
      (said) => response.writeHead(said?.status ?? 404, said?.headers).end(said?.body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function* echo({ text }: { readonly text: string }): AsyncIterable<{ text: string }> {
  yield { text: `You said: ${text}` };
}

export const briefing: WorkflowSummary = {
  id: 'w1',
  name: 'morning-briefing',
  title: 'Morning briefing',
  description: '',
  enabled: true,
  version: 1,
  stepCount: 1,
  triggers: [],
  createdAt: '',
  updatedAt: '',
};

export function aRun(id: string, over: Partial<RunSummary> = {}): RunSummary {
  return {
    id,
    kind: 'workflow',
    status: 'running',
    title: 'Morning briefing',
    workflowId: 'w1',
    workflowVersion: 1,
    parentRunId: null,
    trigger: { kind: 'owner' },
    dryRun: false,
    outcome: null,
    error: null,
    labels: [],
    costUsd: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    wakeAt: null,
    ...over,
  };
}

/** A workflow, no providers, and a record of what was started: once for each key, as the real one does. */
export function fakePorts(started: { workflow: string; input: unknown; key: string }[]): Omit<CommandPorts, 'approvals'> {
  const runs = new Map<string, RunSummary>();
  return {
    workflows: {
      list: async () => ({ items: [briefing], next: null }),
      get: async () => ({ ...briefing, definition: {} as never }),
      async start(workflow, { input, idempotencyKey }) {
        const known = runs.get(idempotencyKey);
        if (known) return known;
        started.push({ workflow, input, key: idempotencyKey });
        const run = aRun(`0000-run-${started.length}`);
        runs.set(idempotencyKey, run);
        return run;
      },
    },
    runs: {
      list: async () => ({ items: [...runs.values()], next: null }),
      detail: async () => Promise.reject(new AppError('not_found', 'run.not_found', 'No such run')),
      cancel: async (id) => ({ ...aRun(id), status: 'cancelled' }),
    },
    policy: rulesOnly(...starterRules([])),
    factor: { hasCodes: async () => false, useCode: async () => {} },
    skills: { list: () => [] },
    llm: { list: async () => [], usage: async () => ({ from: '', to: '', items: [], total: { calls: 0, costUsd: 0 } as never }) },
    status: async () => ({ version: '0', upMs: 61_000, memoryBytes: 1e8, troubles: [] }),
  };
}
