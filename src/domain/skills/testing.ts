import type { EffectPlan } from '#runs/contract';
import { AppError } from '#core/errors';
import type { FetchRequest, FetchResponse } from '#core/fetch';
import type { Json } from '#core/json';
import type { Log } from '#core/log';
import type { CallReceipt, LlmRequest, ScopedLlm } from '#llm/contract';
import type { Label } from '#runs/contract';
import { createTemplates } from '#workflows';
import type { Resource, SkillContext, SkillMemory } from './contract.ts';
import type { FeedStore, Validators } from './feed-store.ts';

/** Noon of 21 November 2026, UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);

export interface WebPage {
  readonly status?: number;
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The world around a skill under test; what is left out is empty, quiet or well. */
export interface World {
  readonly input?: Json;
  readonly prompt?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly labels?: readonly Label[];
  readonly resources?: readonly (Partial<Resource> & Pick<Resource, 'url'>)[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly now?: number;
  /** By address; any other one refuses the connection. */
  readonly web?: Readonly<Record<string, WebPage>>;
  readonly fetch?: SkillContext['fetch'];
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** What the model says, or the object it answers with. */
  readonly answer?: (request: LlmRequest, index: number) => Json;
  readonly offline?: boolean;
  readonly known?: readonly string[];
  readonly found?: Awaited<ReturnType<SkillMemory['search']>>;
  /** Names of the channels there are. */
  readonly channels?: readonly string[];
  /** Nothing outside ever answers: only the signal ends a wait. */
  readonly silent?: boolean;
}

/** A context with no program behind it that keeps what a skill did. */
export interface TestContext extends SkillContext {
  readonly journal: { readonly type: string; readonly data: Json }[];
  readonly requests: FetchRequest[];
  readonly asked: LlmRequest[];
  readonly sent: { readonly text: string; readonly channel?: string; readonly to?: string }[];
  /** Names of the effects performed, and of those a dry run only planned. */
  readonly performed: string[];
  readonly planned: string[];
  readonly added: string[];
  /** Capabilities that what it did needs. */
  readonly used: Set<string>;
}

const RECEIPT: CallReceipt = {
  callId: 'call',
  provider: 'fake',
  kind: 'compatible',
  model: 'fake-1',
  usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, reasoningTokens: 0 },
  costUsd: 0,
  offline: false,
  hops: [],
};
const SETTINGS = { 'owner.interests': ['technology', 'science'], 'owner.language': 'en', 'owner.name': 'Ada' };

export function testContext(world: World = {}): TestContext {
  const { input = null, dryRun = false, channels = ['web'], silent = false } = world;
  const signal = world.signal ?? new AbortController().signal;
  const templates = createTemplates();
  const kept = {
    journal: [] as TestContext['journal'],
    requests: [] as FetchRequest[],
    asked: [] as LlmRequest[],
    sent: [] as TestContext['sent'],
    performed: [] as string[],
    planned: [] as string[],
    added: [] as string[],
    used: new Set<string>(),
  };
  const resources = (world.resources ?? []).map((each): Resource => ({
    name: 'feed',
    type: 'rss_feed',
    tags: [],
    enabled: true,
    metadata: {},
    ...each,
  }));

  const answered = async (capability: string): Promise<void> => {
    kept.used.add(capability);
    if (silent)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
    signal.throwIfAborted();
  };
  const effect: SkillContext['effect'] = async <R extends Json>(request: EffectPlan<R>): Promise<R | null> => {
    if (dryRun) {
      kept.planned.push(request.name);
      return null;
    }
    kept.performed.push(request.name);
    return request.perform(request.name, signal);
  };
  const ask = async (request: LlmRequest): Promise<Json> => {
    await answered('llm:call');
    kept.asked.push(request);
    return world.answer?.(request, kept.asked.length - 1) ?? 'An answer.';
  };
  const receipt = { ...RECEIPT, offline: world.offline ?? false };
  const llm: ScopedLlm = {
    stream: () => unused('stream'),
    embed: () => unused('embed'),
    complete: async (request) => ({ text: (await ask(request)) as string, reasoning: '', toolCalls: [], receipt }),
    object: async (request) => ({ value: request.schema.parse(await ask(request)) as never, receipt }),
  };

  return {
    ...kept,
    runId: 'run-1',
    stepPath: 'step',
    dryRun,
    signal,
    log: quiet(),
    now: () => world.now ?? NOON,
    timeZone: 'Europe/Rome',
    resources,
    labels: world.labels ?? [],
    boundary: '0123456789abcdef',
    token: 'none',
    prompt: world.prompt ?? null,
    llm,
    effect,
    async fetch(request) {
      await answered('net:fetch');
      kept.requests.push(request);
      return world.fetch ? world.fetch(request) : answerOf(world.web?.[request.url], request);
    },
    async readFile(url) {
      kept.used.add('file:read');
      const file = world.files?.[url];
      if (file === undefined) throw new AppError('not_found', 'skill.no_file', `There is no file ${url}`);
      return typeof file === 'string' ? new TextEncoder().encode(file) : file;
    },
    memory: {
      async known(identities) {
        kept.used.add('memory:read');
        return new Set(identities.filter((it) => world.known?.includes(it)));
      },
      async add({ text }) {
        await answered('memory:write');
        kept.added.push(text);
        return { id: `memory-${kept.added.length}`, existed: false };
      },
      async search() {
        await answered('memory:read');
        return world.found ?? [];
      },
    },
    setting: <T>(key: string) => ({ ...SETTINGS, ...world.settings })[key] as T,
    async deliver({ text, channel = channels[0], to, name = 'message' }) {
      await answered('channel:send');
      if (channel === undefined || !channels.includes(channel)) return { delivered: [] };
      const receipts = await effect({
        name,
        kind: 'channel.send',
        target: channel,
        class: 'irreversible',
        intent: { text },
        idempotent: false,
        perform: async () => {
          kept.sent.push({ text, channel, ...(to !== undefined && { to }) });
          return [`m${kept.sent.length}`];
        },
      });
      return { delivered: receipts ? [{ channel, messageIds: receipts }] : [] };
    },
    ownOrigins: new Set(resources.flatMap(({ url }) => (url && URL.canParse(url) ? [new URL(url).origin] : []))),
    depth: 0,
    assertMay: async () => {},
    call: (skill) => unused(`call(${skill})`),
    note: (type, data) => void kept.journal.push({ type, data }),
    render: (template, extra) =>
      templates.render(template, { input, resources: resources.map(({ name, type, url }) => ({ name, type, url })), ...extra }),
  };
}

/** Feeds' health and validators in a map. */
export function memoryFeeds(): FeedStore & {
  readonly kept: Map<string, Validators>;
  readonly notes: { readonly url: string; readonly error: string | null }[];
} {
  const kept = new Map<string, Validators>();
  const notes: { url: string; error: string | null }[] = [];
  return {
    kept,
    notes,
    validators: async (urls) => new Map(urls.flatMap((url) => (kept.has(url) ? [[url, kept.get(url)!] as const] : []))),
    note: async (answers) => void notes.push(...answers),
    keepValidators: async (_tx, data) => (data as unknown as { feeds: Validators[] }).feeds.forEach((it) => kept.set(it.url, it)),
    health: async () => [],
  };
}

/** A log that nobody reads. */
export function quiet(): Log {
  const line = (): void => {};
  return { trace: line, debug: line, info: line, warn: line, error: line, fatal: line, child: quiet } as Log;
}

function answerOf(page: WebPage | undefined, { url }: FetchRequest): FetchResponse {
  if (!page) throw new AppError('unavailable', 'fetch.refused', `${new URL(url).host} refused the connection`);
  const { status = 200, contentType = 'text/html', body = '', headers = {} } = page;
  return {
    status,
    url,
    contentType,
    headers: new Headers({ 'content-type': contentType, ...headers }),
    notModified: status === 304,
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  };
}

function unused(what: string): never {
  throw new Error(`no skill uses llm.${what}`);
}
