import type { Clock } from '#core/clock';
import { AppError, errorInfo, toError } from '#core/errors';
import type { GuardedFetch } from '#core/fetch';
import { check, type Json } from '#core/json';
import type { Log } from '#core/log';
import { redactJson, type Redact } from '#core/redact';
import type { Secret } from '#core/secret';
import { newBoundary } from '#content';
import { flagOrders } from './flagging.ts';
import type { CallDefaults, CallScope, ScopedLlm } from '#llm/contract';
import type { CapabilityTokens, Policy, TokenClaims } from '#policy';
import type { Runs } from '#runs';
import type { Label } from '#runs/contract';
import { sendingFetch, type Borrower } from '#vault';
import { actingContext } from './acting.ts';
import { mayDefer } from './deferred.ts';
import type { Breakers, Passage } from './breaker.ts';
import type { Catalogue } from './catalogue.ts';
import { DEEPEST_CALL } from './contract.ts';
import type { Skill, SkillContext, SkillMemory, SkillRequest, SkillResult, SkillRunner } from './contract.ts';
import { withoutHandles } from './own-secrets.ts';

/** What the runner hands on to skills, each bound to the run when it does. */
export interface SkillRunnerDeps {
  readonly catalogue: Catalogue;
  readonly breakers: Breakers;
  readonly runs: Runs;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: GuardedFetch['fetch'];
  readonly files: { readonly read: SkillContext['readFile']; readonly locate: (url: string) => Promise<string> };
  readonly policy: Pick<Policy, 'countsMoney' | 'enforce' | 'tokens'>;
  /** Lends a secret; without it none is put into any request. */
  readonly lend?: (name: string, by: Borrower) => Promise<Secret>;
  readonly llm: (scope: CallScope, defaults: readonly CallDefaults[]) => ScopedLlm;
  /** `labels` are asked when something is written: by then the skill may have read more. */
  readonly memory: (from: {
    readonly runId: string;
    readonly step: string;
    /** Of this workspace; null are the owner's own memories. */
    readonly workspace: string | null;
    readonly labels: () => readonly Label[];
  }) => SkillMemory;
  /** For the boundaries of envelopes; at least 2^32 different values. */
  readonly random: () => number;
  readonly setting: (key: string) => unknown;
  /** The skill's own wishes among the settings, weaker than the step's. */
  readonly wishes: (skill: string) => CallDefaults;
  readonly timeZone: () => string;
  /** Takes secrets out of what a skill hands on and of what it says of its failure. */
  readonly redact?: Redact;
  readonly deliver: (
    message: Parameters<SkillContext['deliver']>[0],
    context: Pick<SkillContext, 'effect' | 'signal' | 'dryRun'>,
  ) => ReturnType<SkillContext['deliver']>;
}

export function createSkillRunner(deps: SkillRunnerDeps): SkillRunner {
  const { catalogue, breakers, runs, clock, lend } = deps;

  async function run(request: SkillRequest): Promise<SkillResult> {
    const { handles } = request;
    const { redact: redactSecrets = (text) => text } = deps;
    const redact = (text: string): string => redactSecrets(handles ? handles.release(text) : text);
    const skill = catalogue.runnable(request.skill);
    const config = read(withOwnPrompts(skill, request), skill.config, skill, 'config', 'skill.bad_config');
    const input = read(request.input, skill.input, skill, 'input', 'skill.bad_input');
    const passage = breakers.enter(`skill:${skill.name}`);
    const limitMs = request.timeoutMs ?? skill.timeoutMs;
    const timeout = new AbortController();
    const timer = setTimeout(
      () =>
        timeout.abort(
          new AppError('unavailable', 'skill.timeout', `${skill.name} took longer than ${limitMs} ms`, {
            skill: skill.name,
            timeoutMs: limitMs,
          }),
        ),
      limitMs,
    );
    const signal = AbortSignal.any([request.signal, timeout.signal]);
    const questions: AppError[] = [];
    try {
      const held = new Set(request.labels);
      const take: Take = (label, from) => {
        held.add(label);
        request.took?.({ label, from: redact(from).slice(0, LONGEST_SOURCE) });
      };
      if (skill.foreign) take('untrusted', `installed skill ${skill.name}`);
      const token = await narrowedToken(deps.policy.tokens, skill, request, clock.now() + limitMs);
      const acting = actingContext(contextFor(skill, request, signal, held, take, token.text), skill, request, {
        policy: deps.policy,
        permits: token.claims.permits,
        locate: deps.files.locate,
        spentUsd: async () => (await runs.get(request.run.id)).costUsd,
        onAsk: (question) => questions.push(question),
        makers: { runs, asksModel: (name) => catalogue.find(name)?.grants.includes('llm:call') ?? true },
      });
      const context = handles ? withoutHandles(acting, handles) : acting;
      const result = await untilAborted(skill.run({ config, input, context }), signal);
      if (questions.length === 0) await mayDefer(result.onRunSucceeded ?? [], skill, acting);
      if (questions[0]) throw questions[0]; // a skill that went on without the answer did not do what it was to do
      const { labels: own, ...checked } = withoutSecrets(checkResult(skill, result), redact);
      if (own?.includes('untrusted') && !held.has('untrusted')) take('untrusted', `skill ${skill.name}`);
      const labels = [...new Set([...held, ...(own ?? [])])];
      if (skill.external || skill.foreign) await flagOrders(checked.output, context.note);
      passage.succeeded();
      return { ...checked, labels };
    } catch (thrown) {
      const error: unknown = timeout.signal.aborted ? timeout.signal.reason : (questions[0] ?? thrown);
      settle(passage, error, request.signal);
      throw request.signal.aborted ? error : told(explain(skill, error, questions), redact);
    } finally {
      clearTimeout(timer);
    }
  }

  function contextFor(
    skill: Skill,
    request: SkillRequest,
    signal: AbortSignal,
    held: ReadonlySet<Label>,
    take: Take,
    token: string,
  ): SkillContext {
    const { run: owner, step } = request;
    const labels = (): readonly Label[] => [...held];
    const scope: CallScope = {
      runId: owner.id,
      step,
      purpose: `skill:${skill.name}`,
      ...(owner.workflowId && { workflowId: owner.workflowId }),
      ...(owner.perRunUsd !== undefined && { runBudgetUsd: owner.perRunUsd }),
      ...(owner.perDayUsd !== undefined && { workflowDailyBudgetUsd: owner.perDayUsd }),
      journal: (type, data) => note(type, data),
    };
    const log = deps.log.child({ component: `skill ${skill.name}`, runId: owner.id, step });
    const effect: SkillContext['effect'] = (plan) => runs.effects.perform({ runId: owner.id, step, dryRun: owner.dryRun }, plan, signal);
    const note: SkillContext['note'] = (type, data) =>
      void runs
        .journal(owner.id, type, step, data)
        .catch((error: unknown) => log.error('a journal line was lost', { error: toError(error).message }));
    const own = ownOrigins(request);
    const llm = deps.llm(scope, [...request.llm, deps.wishes(skill.name)]);
    return {
      runId: owner.id,
      stepPath: step,
      dryRun: owner.dryRun,
      signal,
      log,
      now: clock.now,
      timeZone: deps.timeZone(),
      resources: request.resources,
      get labels() {
        return labels();
      },
      boundary: newBoundary(deps.random),
      token,
      prompt: request.prompt,
      fetch: labelled(guardHosts(fetchOf(skill, request), breakers, own, note), take),
      readFile: deps.files.read,
      llm: request.allowOffline === undefined ? llm : withoutOffline(llm, request.allowOffline),
      memory: labelledMemory(deps.memory({ runId: owner.id, step, workspace: owner.workspace ?? null, labels }), take),
      setting: <T>(key: string) => deps.setting(key) as T,
      effect,
      deliver: (message) => deps.deliver(message, { effect, signal, dryRun: owner.dryRun }),
      depth: request.depth ?? 0,
      ownOrigins: own,
      assertMay: async () => {},
      call: callFrom(skill, request, signal, held, take, token),
      note,
      render: request.render,
    };
  }

  /** One skill calls another: the same run, a step below its own, with the labels at hand by then. */
  function callFrom(
    caller: Skill,
    request: SkillRequest,
    signal: AbortSignal,
    held: ReadonlySet<Label>,
    take: Take,
    token: string,
  ): SkillContext['call'] {
    const { depth = 0 } = request;
    const onBehalf = { ...request.onBehalf, chain: [...request.onBehalf.chain, `skill:${caller.name}`] };
    let calls = 0;
    return async (skill, { input, config }) => {
      if (depth >= DEEPEST_CALL)
        throw new AppError('limited', 'skill.too_deep', `Skills call one another at most ${DEEPEST_CALL} deep`, { skill });
      calls += 1;
      const { timeoutMs: _ofTheCaller, ...rest } = request;
      const inner = {
        skill,
        input,
        config,
        ownConfig: {}, // what the caller wrote is not the owner's word
        token,
        signal,
        step: `${request.step}/${skill}#${calls}`,
        labels: [...held],
        depth: depth + 1,
        onBehalf,
      };
      const result = await run({ ...rest, ...inner, ownAddresses: [] });
      for (const label of result.labels ?? []) if (!held.has(label)) take(label, `skill ${skill}`);
      return { outcome: result.outcome, output: result.output };
    };
  }

  /** Puts in the values of secrets that the owner referred to in the step. */
  function fetchOf(skill: Skill, { handles, run: { workspace } }: SkillRequest): GuardedFetch['fetch'] {
    const as: Borrower['as'] = [`skill:${skill.name}`, ...(workspace === undefined ? [] : [`workspace:${workspace}`])];
    return handles && lend ? sendingFetch({ fetch: deps.fetch, handles, lend, as }) : deps.fetch;
  }

  return { run };
}

/** A step gets a token of its own; a skill one that is narrower by what it declares; one called by a skill a narrower one still. */
async function narrowedToken(
  tokens: CapabilityTokens,
  skill: Skill,
  { token: callers, onBehalf, run, step }: SkillRequest,
  expiresAt: number,
): Promise<{ text: string; claims: TokenClaims }> {
  const parent = callers ?? (await tokens.mint({ chain: onBehalf.chain, run: run.id, step, capabilities: ['*'], expiresAt }));
  const text = tokens.attenuate(parent, { to: `skill:${skill.name}`, capabilities: skill.grants, expiresAt });
  const claims = await tokens.verify(text);
  if (typeof claims !== 'string') return { text, claims };
  throw new AppError('forbidden', 'policy.bad_token', `The capabilities of this call do not hold (${claims})`, { problem: claims });
}

/** Prompts are not filled in yet: the skill does it, with what is foreign in envelopes. */
function withOwnPrompts({ prompts = [] }: Skill, { config, ownConfig }: SkillRequest): Json {
  const isObject = (it: Json | undefined): it is Record<string, Json> => typeof it === 'object' && it !== null && !Array.isArray(it);
  if (prompts.length === 0 || !isObject(config) || !isObject(ownConfig)) return config;
  const own = prompts.flatMap((field) => (ownConfig[field] === undefined ? [] : [[field, ownConfig[field]] as const]));
  return { ...config, ...Object.fromEntries(own) };
}

function read(value: unknown, schema: Skill['config'], skill: Skill, what: string, code: string): never {
  try {
    return check(value, schema, `${skill.name} ${what}`) as never;
  } catch (error) {
    const { message, details } = error as AppError;
    throw new AppError('invalid', code, message, details, error);
  }
}

/** Ends when the signal says so, even if the skill does not listen. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function checkResult(skill: Skill, result: SkillResult): SkillResult {
  if (!skill.outcomes.includes(result.outcome))
    throw new AppError('unavailable', 'skill.bad_output', `${skill.name} ended as "${result.outcome}", which it does not declare`, {
      skill: skill.name,
      outcome: result.outcome,
    });
  const parsed = skill.output.safeParse(result.output);
  if (!parsed.success)
    throw new AppError(
      'unavailable',
      'skill.bad_output',
      `${skill.name} gave an output it does not declare: ${parsed.error.issues[0]?.message}`,
      { skill: skill.name },
    );
  const labels = new Set<Label>([...(result.labels ?? []), ...(skill.external ? ['untrusted' as const] : [])]);
  return { ...result, output: parsed.data as Json, labels: [...labels] };
}

const INNOCENT_KINDS: readonly string[] = ['invalid', 'limited', 'forbidden', 'not_found', 'conflict'];
/** Hosts, providers and channels have breakers and health of their own: what they did closes no skill. */
const ELSEWHERE = /^(breaker|fetch|feeds|llm|channel)\.|^skill\.(all_feeds_failed|http_status)$/;

/** Only what the skill did counts; a mistake in the workflow, a budget, the other side or the owner's hand does not. */
function settle(passage: Passage, error: unknown, outer: AbortSignal): void {
  const innocent = outer.aborted || (error instanceof AppError && (INNOCENT_KINDS.includes(error.kind) || ELSEWHERE.test(error.code)));
  if (innocent) passage.abandoned();
  else passage.failed(toError(error).message);
}

function withoutSecrets({ output, onRunSucceeded, ...rest }: SkillResult, redact: Redact): SkillResult {
  const acts = onRunSucceeded?.map(({ kind, data }) => ({ kind, data: redactJson(redact, data) }));
  return { ...rest, output: redactJson(redact, output), ...(acts && { onRunSucceeded: acts }) };
}

function told(error: AppError, redact: Redact): AppError {
  const { kind, code, message, details } = error;
  const safe = { message: redact(message), details: redactJson(redact, details as Record<string, Json>) };
  return JSON.stringify(safe) === JSON.stringify({ message, details })
    ? error
    : new AppError(kind, code, safe.message, safe.details, error);
}

/** A question of policy is passed on only if it was the policy that asked: what a skill throws is no evidence. */
function explain(skill: Skill, error: unknown, questions: readonly AppError[]): AppError {
  if (error instanceof AppError && (error.code !== 'policy.ask' || questions.includes(error))) return error;
  const { message } = errorInfo(error);
  return new AppError('unavailable', 'skill.failed', `${skill.name} failed: ${message}`, { skill: skill.name }, error);
}

/** Addresses of the resources and of the step itself are the owner's; whatever content brings is not. */
function ownOrigins({ resources, ownAddresses }: SkillRequest): ReadonlySet<string> {
  const origins = [...resources.map(({ url }) => url), ...ownAddresses].flatMap((url) =>
    url && URL.canParse(url) ? [new URL(url).origin] : [],
  );
  return new Set(origins);
}

/** So long a wait for a host's turn is worth a line of the journal. */
const NOTABLE_WAIT_MS = 1_000;

/** What the owner wrote down may be private, and is read as often as they say; anywhere else a skill is a guest. */
function guardHosts(
  fetch: GuardedFetch['fetch'],
  breakers: Breakers,
  own: ReadonlySet<string>,
  note: SkillContext['note'],
): GuardedFetch['fetch'] {
  return async ({ allowPrivate: _notTheSkillsToSay, crawl = false, ...request }) => {
    const origin = URL.canParse(request.url) ? new URL(request.url).origin : null;
    const passage = origin === null ? null : breakers.enter(`host:${new URL(request.url).host}`);
    try {
      const isOwn = origin !== null && own.has(origin);
      const response = await fetch({ ...request, allowPrivate: isOwn, crawl: crawl && !isOwn });
      if ((response.waitedMs ?? 0) >= NOTABLE_WAIT_MS)
        note('fetch.waited', { host: new URL(response.url).host, waitedMs: response.waitedMs! });
      if (response.status >= 500) passage?.failed(`HTTP ${response.status}`);
      else passage?.succeeded();
      return response;
    } catch (error) {
      const theirs =
        error instanceof AppError && ['fetch.timeout', 'fetch.refused', 'fetch.dns', 'fetch.tls', 'fetch.broken'].includes(error.code);
      if (theirs && !request.signal.aborted) passage?.failed(error.message);
      else passage?.abandoned();
      throw error;
    }
  };
}

/** Says that the step has read something with a label, and where. */
type Take = (label: Label, from: string) => void;
const LONGEST_SOURCE = 300;

/** Whatever an address answers is a stranger's word, a refusal too. */
function labelled(fetch: GuardedFetch['fetch'], take: Take): GuardedFetch['fetch'] {
  return async (request) => {
    try {
      return await fetch(request);
    } finally {
      take('untrusted', withoutQuery(request.url));
    }
  };
}

/** What is found passes its labels on; the owner's own words are private wherever they are read again. */
function labelledMemory(memory: SkillMemory, take: Take): SkillMemory {
  return {
    ...memory,
    async search(query, options) {
      const hits = await memory.search(query, options);
      for (const { id, title, labels } of hits)
        for (const label of labels) take(label === 'owner' ? 'private' : label, `memory ${title ?? id}`);
      return hits;
    },
  };
}

function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}

function withoutOffline(llm: ScopedLlm, allowOffline: boolean): ScopedLlm {
  return {
    ...llm,
    stream: (request) => llm.stream({ allowOffline, ...request }),
    complete: (request) => llm.complete({ allowOffline, ...request }),
    object: (request) => llm.object({ allowOffline, ...request }),
  };
}
