import type { EffectAnswer, FetchAnswer, LlmOptions, MemoryFound, SkillContext } from './context.ts';
import { SkillError } from './error.ts';
import type { FromSkill, Json, Start, ToSkill } from './protocol.ts';

/** The skill's end of the wire. */
export interface SkillClient {
  readonly context: SkillContext;
  /** Hears one message of Castellan. */
  hear(message: ToSkill): void;
}

interface Pending {
  readonly part: (value: Json) => void;
  readonly answer: (value: Json) => void;
  readonly refuse: (error: SkillError) => void;
}

/** Turns calls of the context into messages, and answers into what the calls resolve with. */
export function createSkillClient(start: Start, send: (message: FromSkill) => void): SkillClient {
  const pending = new Map<number, Pending>();
  const ending = new AbortController();
  let last = 0;

  function open(method: string, params: unknown, handlers: Pending): number {
    last += 1;
    pending.set(last, handlers);
    send({ type: 'call', id: last, method, params: (params ?? null) as Json });
    return last;
  }

  function ask<T>(method: string, params: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      open(method, params, { part: () => {}, answer: (value) => resolve(value as T), refuse: reject });
    });
  }

  async function* stream(method: string, params: unknown): AsyncGenerator<string, void, void> {
    const parts: string[] = [];
    let end: SkillError | null | undefined;
    let wake = (): void => {};
    const finish = (error: SkillError | null): void => {
      end = error;
      wake();
    };
    const id = open(method, params, {
      part: (value) => (parts.push(value as string), wake()),
      answer: () => finish(null),
      refuse: finish,
    });
    try {
      for (;;) {
        while (parts.length > 0) yield parts.shift()!;
        if (end) throw end;
        if (end === null) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (pending.delete(id)) send({ type: 'drop', id });
    }
  }

  const say =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, data?: Json): void =>
      send({ type: 'log', level, message: String(message), ...(data !== undefined && { data }) });

  const { runId, stepPath, dryRun, timeZone, prompt, labels, resources } = start;
  const context: SkillContext = {
    runId,
    stepPath,
    dryRun,
    timeZone,
    prompt,
    labels,
    resources,
    signal: ending.signal,
    log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    fetch: async (url, options = {}) => toAnswer(await ask('fetch', { url: String(url), ...options })),
    effect: (request) => ask<EffectAnswer | null>('effect', request),
    llm: {
      complete: (text, options?: LlmOptions) => ask('llm.complete', { prompt: text, ...options }),
      stream: (text, options?: LlmOptions) => stream('llm.stream', { prompt: text, ...options }),
      object: (text, schema, options?: LlmOptions) => ask('llm.object', { prompt: text, schema, ...options }),
    },
    memory: {
      search: (query, options) => ask<readonly MemoryFound[]>('memory.search', { query, ...options }),
      known: async (identities) => new Set(await ask<readonly string[]>('memory.known', { identities })),
      add: (item) => ask('memory.add', item),
    },
    notify: (message) => ask('notify', typeof message === 'string' ? { text: message } : message),
    call: (skill, request = {}) => ask('call', { skill, ...request }),
    setting: (key) => ask('setting', { key }),
    note: async (type, data = null) => void (await ask('note', { type, data })),
    render: (template, values = {}) => ask('render', { template, values }),
  };

  function hear(message: ToSkill): void {
    if (message.type === 'start') return;
    if (message.type === 'cancel') return ending.abort(new SkillError('skill.cancelled', message.reason));
    const call = pending.get(message.id);
    if (!call) return;
    if (message.type === 'part') return call.part(message.value);
    pending.delete(message.id);
    if (message.type === 'answer') call.answer(message.value);
    else call.refuse(SkillError.from(message.error));
  }

  return { context, hear };
}

interface WireAnswer {
  readonly status: number;
  readonly url: string;
  readonly contentType: string;
  readonly headers: Record<string, string>;
  readonly base64: string;
}

function toAnswer({ base64, ...head }: WireAnswer): FetchAnswer {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const text = (): string => new TextDecoder().decode(bytes);
  return {
    ...head,
    ok: head.status >= 200 && head.status < 300,
    bytes: () => bytes,
    text,
    json<T>(): T {
      try {
        return JSON.parse(text()) as T;
      } catch (error) {
        throw new SkillError('skill.not_json', `${head.url} answered with no JSON (HTTP ${head.status}): ${(error as Error).message}`);
      }
    },
  };
}
