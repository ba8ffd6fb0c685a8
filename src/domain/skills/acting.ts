import { AppError } from '#core/errors';
import type { FetchRequest } from '#core/fetch';
import type { Json } from '#core/json';
import type { LlmRequest, ScopedLlm } from '#llm/contract';
import type { Label } from '#runs/contract';
import { channelResource, hostResource, memoryCapability, type Policy } from '#policy';
import { createMakers, type AddressDeps } from './address.ts';
import type { Skill, SkillContext, SkillMemory, SkillRequest } from './contract.ts';

export interface ActingDeps {
  readonly policy: Pick<Policy, 'countsMoney' | 'enforce'>;
  /** What the token of this attempt lets through: what this skill declares, and all who called it. */
  readonly permits: (capability: string, resource: string) => boolean;
  /** What the run has spent so far. */
  readonly spentUsd: () => Promise<number>;
  /** The real place of a `file:` address. */
  readonly locate: (url: string) => Promise<string>;
  /** A question came up: the step has to wait for its answer, whatever the skill makes of the error. */
  readonly onAsk: (question: AppError) => void;
  readonly makers: AddressDeps;
}

/**
 * The context as a skill gets it: each member that reaches out asks the policy first, with the chain on whose behalf and the labels of all
 * that was read until then. A dry run performs nothing, so what it would only have to ask about is noted and passed.
 */
export function actingContext(inner: SkillContext, skill: Skill, request: SkillRequest, deps: ActingDeps): SkillContext {
  const { chain, held } = request.onBehalf;
  const words = new Set(wordsOf(request.ownConfig ?? request.config));
  const hosts = new Set(
    [...request.resources.map(({ url }) => url), ...request.ownAddresses].flatMap((url) => (url ? (hostResource(url) ?? []) : [])),
  );

  let hasAsked = false;
  const makerOf = createMakers(deps.makers, skill, request, () => hasAsked);

  async function may(
    capability: string,
    resource: string,
    named = false,
    isAct = false,
    labels = inner.labels,
    about?: string,
  ): Promise<void> {
    const declared = new Set(deps.permits(capability, resource) ? [capability] : []);
    const money = deps.policy.countsMoney() && { spentUsd: await deps.spentUsd() };
    try {
      await deps.policy.enforce({
        principal: `skill:${skill.name}`,
        capability,
        resource,
        context: { chain, labels, named, declared, run: inner.runId, step: inner.stepPath, ...(held && { held }), ...money },
      });
    } catch (thrown) {
      const error = about === undefined ? (thrown as AppError) : told(thrown as AppError, about);
      const { code, details } = error;
      if (code !== 'policy.ask' && code !== 'policy.denied') throw error;
      inner.note(code, JSON.parse(JSON.stringify(details)) as Json);
      if (code === 'policy.ask') {
        if (isAct && inner.dryRun) return;
        deps.onAsk(error);
      }
      throw error;
    }
  }

  /**
   * Reading from an address can carry out what it was made of. One that a model may have written with foreign or private text in view is
   * taken to hold private text, whatever host it names; one that the owner wrote, or that stands in a source, carries nothing.
   */
  async function mayRead(url: string, host: string): Promise<void> {
    const { labels } = inner;
    const maker = labels.includes('untrusted') || labels.includes('private') ? await makerOf(url) : 'plain';
    const without = (label: Label): boolean => label !== 'private';
    if (maker === 'made' && !skill.foreign)
      await may('net:fetch', host, false, false, [...labels.filter(without), 'private'], `A model wrote the address ${url}`);
    else await may('net:fetch', host, hosts.has(host), false, maker === 'own' || maker === 'found' ? labels.filter(without) : labels);
  }

  return Object.defineProperties({} as SkillContext, {
    ...Object.getOwnPropertyDescriptors(inner),
    ...members({
      async fetch(wanted: FetchRequest) {
        const host = hostResource(wanted.url);
        // what is no web address the fetch refuses by itself
        if (host !== null && isReading(wanted)) await mayRead(wanted.url, host);
        else if (host !== null) await may('net:post', host, hosts.has(host));
        return inner.fetch(wanted);
      },
      async readFile(url) {
        await may('file:read', await deps.locate(url), true);
        return inner.readFile(url);
      },
      llm: actingLlm(inner.llm, async (wish) => {
        await may('llm:call', modelOf([wish, ...request.llm]));
        hasAsked = true;
      }),
      memory: actingMemory(inner.memory, may),
      async effect(plan) {
        const { capability, resource, named } = actOf(plan.kind, plan.target);
        await may(capability, resource, named, true);
        return inner.effect(plan);
      },
      assertMay: (capability, resource) => may(capability, literal(resource)),
      async call(name, call) {
        await may('skill:call', literal(name), words.has(name));
        return await inner.call(name, call).catch((error: unknown) => {
          // a question that came up further down is this step's question
          if (error instanceof AppError && error.code === 'policy.ask') deps.onAsk(error);
          throw error;
        });
      },
      async deliver(message) {
        const { channel, to } = message;
        await may('channel:send', literal(channelResource(channel, to)), to === undefined || words.has(to), true);
        return inner.deliver(message);
      },
    }),
  });

  function actOf(kind: string, target: string): { capability: string; resource: string; named: boolean } {
    const host = hostResource(target);
    if (kind.startsWith('http.'))
      return { capability: 'net:post', resource: host ?? literal(target), named: host !== null && hosts.has(host) };
    return { capability: kind.replace('.', ':'), resource: host ?? literal(target), named: words.has(target) };
  }
}

/** The same question, with what the owner has to see to answer it. */
function told(error: AppError, about: string): AppError {
  if (!(error instanceof AppError) || error.code !== 'policy.ask') return error;
  const { reason: why } = error.details;
  const reason = `${typeof why === 'string' ? `${why} ` : ''}${about}.`;
  return new AppError(error.kind, 'policy.ask', error.message, { ...error.details, reason }, error);
}

function members(
  own: Pick<SkillContext, 'fetch' | 'readFile' | 'llm' | 'memory' | 'effect' | 'deliver' | 'assertMay' | 'call'>,
): PropertyDescriptorMap {
  return Object.getOwnPropertyDescriptors(own);
}

/** A star in what content named is a star, not a wildcard. */
const literal = (resource: string): string => resource.replaceAll('*', '%2A');

const isReading = ({ method = 'GET', body }: FetchRequest): boolean => /^(?:GET|HEAD)$/i.test(method) && body === undefined;

/** The model as wished for: a provider by name, else the tier. */
function modelOf(wishes: readonly Pick<LlmRequest, 'tier' | 'provider'>[]): string {
  const provider = wishes.find((each) => each.provider !== undefined)?.provider;
  if (provider !== undefined) return literal(`provider:${provider}`);
  return `tier:${wishes.find((each) => each.tier !== undefined)?.tier ?? 'default'}`;
}

function actingLlm(llm: ScopedLlm, may: (wish: Pick<LlmRequest, 'tier' | 'provider'>) => Promise<void>): ScopedLlm {
  return {
    async *stream(request) {
      await may(request);
      yield* llm.stream(request);
    },
    async complete(request) {
      await may(request);
      return llm.complete(request);
    },
    async object(request) {
      await may(request);
      return llm.object(request);
    },
    async embed(texts, options) {
      await may({});
      return llm.embed(texts, options);
    },
  };
}

function actingMemory(memory: SkillMemory, may: (capability: string, resource: string) => Promise<void>): SkillMemory {
  return {
    async known(identities) {
      await may('memory:read', 'identities');
      return memory.known(identities);
    },
    async search(query, options) {
      await may('memory:read', 'items');
      return memory.search(query, options);
    },
    async add(item) {
      await may(memoryCapability(item.kind), literal(item.kind));
      return memory.add(item);
    },
  };
}

/** Texts that the owner wrote out in a configuration; what a template makes is not theirs. */
function wordsOf(value: Json): string[] {
  if (typeof value === 'string') return /\{[{%]/.test(value) ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap((each) => wordsOf(each as Json)) : [];
}
