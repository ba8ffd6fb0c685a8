// For the tests of a skill: a context with no Castellan behind it. Under Node: `import { testContext } from '#skill/testing'`.
import type { EffectRequest, FetchAnswer, MemoryFound, SkillContext } from './context.ts';
import { SkillError } from './error.ts';
import type { Json, Resource } from './protocol.ts';

/** The world around a skill under test; what is left out is empty. */
export interface TestWorld {
  readonly input?: Json;
  readonly dryRun?: boolean;
  readonly prompt?: string;
  readonly resources?: readonly Resource[];
  /** Answers by address: text, or anything else as JSON. An address that is not here refuses the connection. */
  readonly web?: Readonly<Record<string, Json>>;
  /** What the model answers to a prompt. */
  readonly model?: (prompt: string) => Json;
  readonly settings?: Readonly<Record<string, Json>>;
  readonly known?: readonly string[];
  readonly found?: readonly MemoryFound[];
  /** How other skills end. */
  readonly skills?: Readonly<Record<string, { readonly outcome: string; readonly output: Json }>>;
}

/** A context that keeps what the skill did. */
export interface TestContext extends SkillContext {
  readonly fetched: string[];
  readonly effects: EffectRequest[];
  readonly sent: string[];
  readonly remembered: string[];
  readonly said: string[];
}

export function testContext(world: TestWorld = {}): TestContext {
  const { web = {}, settings = {}, known = [], found = [], skills = {}, dryRun = false } = world;
  const kept = {
    fetched: [] as string[],
    effects: [] as EffectRequest[],
    sent: [] as string[],
    remembered: [] as string[],
    said: [] as string[],
  };
  const say = (message: string): void => void kept.said.push(message);
  const ask = async (prompt: string): Promise<Json> => world.model?.(prompt) ?? 'An answer.';
  return {
    ...kept,
    runId: 'run',
    stepPath: 'step',
    dryRun,
    signal: new AbortController().signal,
    timeZone: 'UTC',
    prompt: world.prompt ?? null,
    labels: [],
    resources: world.resources ?? [],
    log: { debug: say, info: say, warn: say, error: say },
    async fetch(url) {
      kept.fetched.push(url);
      if (web[url] === undefined) throw new SkillError('fetch.refused', `${url} refused the connection`);
      return answerOf(url, web[url]);
    },
    async effect(request) {
      kept.effects.push(request);
      return dryRun ? null : { status: 200, body: '' };
    },
    llm: {
      complete: async (prompt) => (await ask(prompt)) as string,
      async *stream(prompt) {
        yield (await ask(prompt)) as string;
      },
      object: async <T>(prompt: string) => (await ask(prompt)) as T,
    },
    memory: {
      search: async () => found,
      known: async (identities) => new Set(identities.filter((it) => known.includes(it))),
      async add({ text }) {
        if (!dryRun) kept.remembered.push(text);
        return { id: `memory-${kept.remembered.length}`, existed: false };
      },
    },
    async notify(message) {
      if (!dryRun) kept.sent.push(typeof message === 'string' ? message : message.text);
      return { delivered: dryRun ? [] : [{ channel: 'test' }] };
    },
    async call(name) {
      const result = skills[name];
      if (!result) throw new SkillError('skill.unknown', `There is no skill "${name}"`);
      return result;
    },
    setting: async (key) => settings[key] ?? null,
    note: async () => {},
    render: async (template) => template,
  };
}

function answerOf(url: string, body: Json): FetchAnswer {
  const isText = typeof body === 'string';
  const text = isText ? body : JSON.stringify(body);
  return {
    status: 200,
    ok: true,
    url,
    contentType: isText ? 'text/plain' : 'application/json',
    headers: {},
    bytes: () => new TextEncoder().encode(text),
    text: () => text,
    json: <T>() => JSON.parse(text) as T,
  };
}
