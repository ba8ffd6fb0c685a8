import { z } from 'zod';
import { endpoint } from '#core/endpoint';
import type { GuardedFetch } from '#core/fetch';
import { AnyJson, type Json } from '#core/json';
import type { Log } from '#core/log';
import type { CallDefaults, ScopedLlm } from '#llm/contract';
import type { EffectPlan, Label, Taken } from '#runs/contract';
import type { Handles } from '#vault';

/** Feeds, sites, APIs, repositories that a workflow gives its steps. */
export const Resource = z.strictObject({
  name: z.string().min(1),
  type: z.enum(['rss_feed', 'website', 'api', 'repository', 'document', 'automation']),
  /** An address, or a path beginning with `file:` for what ships with the program or lies in the home. */
  url: z.string().min(1).optional(),
  content: z.string().optional(),
  tags: z.array(z.string()).default([]),
  enabled: z.boolean().default(true),
  metadata: z.record(z.string(), AnyJson).default({}),
});
export type Resource = z.infer<typeof Resource>;

/** How a skill ended. */
export interface SkillResult {
  /** One of the skill's declared outcomes. */
  readonly outcome: string;
  readonly output: Json;
  /** Where the output came from, beyond what went in. */
  readonly labels?: readonly Label[];
  /** What becomes true only when the whole run has succeeded, in the same transaction (feed items marked seen). */
  readonly onRunSucceeded?: readonly DeferredAct[];
}

/** A change put off to the end of the run; `kind` names a handler the program was wired with. */
export interface DeferredAct {
  readonly kind: string;
  readonly data: Json;
}

/** Skills call one another at most so deep. */
export const DEEPEST_CALL = 3;

/** What a skill may use: nothing else is within its reach. */
export interface SkillContext {
  readonly runId: string;
  readonly stepPath: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly now: () => number;
  /** The owner's IANA time zone. */
  readonly timeZone: string;
  readonly resources: readonly Resource[];
  /** Labels of the input and of all that was read until now. */
  readonly labels: readonly Label[];
  /** For the envelopes of this attempt's prompts: `#content`. */
  readonly boundary: string;
  /** What this attempt may do, as a token of `#policy` that can only be made narrower: for whoever acts for it outside of this process. */
  readonly token: string;
  /** The step's prompt template, for `render`. */
  readonly prompt: string | null;
  /** Guarded, behind the breaker of each host. `allowPrivate` is decided here, from the resources, never by the skill. */
  readonly fetch: GuardedFetch['fetch'];
  /** Reads what ships with the program or lies in the home, by a `file:` address of a resource; throws `skill.file_outside` for any other place. */
  readFile(url: string): Promise<Uint8Array>;
  /** Bound to the run's budget and the step's tier, provider and model. */
  readonly llm: ScopedLlm;
  readonly memory: SkillMemory;
  /** A setting's value by key, the owner's or its default. */
  setting<T>(key: string): T;
  /** Performs an effect once, however often the step is run; in a dry run only writes down the intent and returns null. */
  effect<R extends Json>(request: EffectPlan<R>): Promise<R | null>;
  /** Sends to the owner's channels: an effect for each message. `channel` names one; the default one when left out. */
  deliver(message: {
    readonly text: string;
    readonly channel?: string;
    readonly to?: string;
    readonly name?: string;
  }): Promise<{ readonly delivered: readonly { readonly channel: string; readonly messageIds: readonly string[] }[] }>;
  /** How many skills called one another before this one. */
  readonly depth: number;
  /** Origins that the owner wrote into the step or the resources. */
  readonly ownOrigins: ReadonlySet<string>;
  /** Asks the policy about what has no member here, with the labels at hand; throws `policy.denied` or `policy.ask`. */
  assertMay(capability: string, resource: string): Promise<void>;
  /** Runs another skill as part of this step; what it brings labels this one's output too. Throws `skill.too_deep`. */
  call(skill: string, request: { readonly input: Json; readonly config: Json }): Promise<Pick<SkillResult, 'outcome' | 'output'>>;
  /** A line of the run's journal. */
  note(type: string, data: Json): void;
  /** Templates (Liquid) over the step's input and the run. */
  render(template: string, extra?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** The part of memory a skill sees: its own workspace's scope. */
export interface SkillMemory {
  /** Which of these identities are already known; used to de-duplicate. */
  known(identities: readonly string[]): Promise<ReadonlySet<string>>;
  add(item: {
    readonly kind: string;
    readonly text: string;
    readonly title?: string;
    readonly url?: string;
    readonly identity?: string;
    readonly metadata?: Readonly<Record<string, Json>>;
    readonly expiresInDays?: number;
  }): Promise<{ readonly id: string; readonly existed: boolean }>;
  search(
    query: string,
    options?: { readonly limit?: number; readonly kinds?: readonly string[] },
  ): Promise<
    readonly {
      readonly id: string;
      readonly kind: string;
      readonly title: string | null;
      readonly text: string;
      readonly url: string | null;
      readonly score: number;
      readonly at: number;
      readonly labels: readonly Label[];
    }[]
  >;
}

/** A step as the editor fills it in: values for the fields that the skill uses. */
export interface Preset {
  readonly config?: Readonly<Record<string, Json>>;
  readonly prompt?: string;
}

export interface SkillCall<C, I> {
  readonly config: C;
  readonly input: I;
  readonly context: SkillContext;
}

/** A named capability. Built-in skills are values of this type, listed in `kinds.ts`. */
export interface Skill<C extends z.ZodType = z.ZodType, I extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** Other names it answers to. */
  readonly aliases?: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly config: C;
  readonly input: I;
  readonly output: z.ZodType;
  /** The ways it can end; `on_error` and `on_timeout` belong to every skill and need not be listed. */
  readonly outcomes: readonly string[];
  /** Capabilities it uses: `net:fetch`, `llm:call`, `memory:write`, `channel:send`; any other is denied it. */
  readonly grants: readonly string[];
  /** It brings text from outside: its output is `untrusted`. */
  readonly external: boolean;
  /** Somebody else wrote it: whatever it does is done with untrusted content at hand. */
  readonly foreign?: true;
  readonly timeoutMs: number;
  /** Which step fields it uses, for the editor's form. */
  readonly stepFields: readonly ('tier' | 'provider' | 'model' | 'prompt' | 'config')[];
  /** Configuration fields that are templates for a model: they reach the skill as the owner wrote them, and it fills them in. */
  readonly prompts?: readonly string[];
  /** False: a model is not offered it as a tool, for it would only ask a model again. True when left out. */
  readonly asTool?: boolean;
  /** Ready-made steps the editor offers, by title. */
  readonly presets?: Readonly<Record<string, Preset>>;
  run(call: SkillCall<z.output<C>, z.output<I>>): Promise<SkillResult>;
}

/** Types a skill's `run` from its schemas. */
export function skill<C extends z.ZodType, I extends z.ZodType>(it: Skill<C, I>): Skill {
  return it as unknown as Skill;
}

/** What the engine asks the runner for: one attempt at one skill. */
export interface SkillRequest {
  readonly skill: string;
  /** Templates already filled in; the owner's references to secrets are handles of `handles`. */
  readonly config: Json;
  /** Of the owner's own references; without them no secret is put into any request. */
  readonly handles?: Handles;
  /** As the owner wrote it; the same as `config` when left out. */
  readonly ownConfig?: Json;
  readonly input: Json;
  readonly prompt: string | null;
  /** Overrides the skill's own limit. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** The step's, then the workflow's wishes; the skill's settings and the tier chain come after. */
  readonly llm: readonly CallDefaults[];
  readonly allowOffline?: boolean;
  readonly run: {
    readonly id: string;
    readonly workflowId: string | null;
    readonly dryRun: boolean;
    /** Name of the workspace whose memories it reads and writes; the owner's own when left out. */
    readonly workspace?: string;
    readonly perRunUsd?: number;
    readonly perDayUsd?: number;
  };
  readonly step: string;
  /** Who stands behind the skill, outermost first: the owner, the workflow. Each must be allowed what the skill does. */
  readonly onBehalf: { readonly chain: readonly string[]; readonly held?: ReadonlySet<string> };
  readonly labels: readonly Label[];
  /** Told of each label that the skill takes on by reading, and of where it read, at once: its output and its failure have it too. */
  readonly took?: (taken: Taken) => void;
  readonly resources: readonly Resource[];
  /** Addresses the owner wrote into the step itself; with those of the resources, they alone may be private. */
  readonly ownAddresses: readonly string[];
  /** Addresses in the owner's own message, of a turn. */
  readonly said?: readonly string[];
  readonly render: SkillContext['render'];
  /** Of the skill that calls this one: it may do no more than its caller. */
  readonly token?: string;
  /** How many skills called one another before this one; none when left out. */
  readonly depth?: number;
}

/**
 * Runs one attempt: validates config and input, holds the time limit and the breaker, builds the context, checks the output.
 * Throws AppErrors: `skill.unknown`, `skill.disabled`, `skill.bad_config`, `skill.bad_input`, `skill.bad_output`, `skill.timeout`,
 * `skill.breaker_open`, `skill.failed`, and lets `llm.over_budget`, `effect.unknown`, `policy.ask` and `policy.denied` through as they are.
 */
export interface SkillRunner {
  run(request: SkillRequest): Promise<SkillResult>;
}

export const SkillInfo = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  title: z.string(),
  description: z.string(),
  outcomes: z.array(z.string()),
  grants: z.array(z.string()),
  external: z.boolean(),
  timeoutMs: z.number(),
  kind: z.enum(['built-in', 'installed', 'procedure']),
  stepFields: z.array(z.string()),
  /** Assistants may be offered it as a tool. */
  asTool: z.boolean(),
  configSchema: z.record(z.string(), z.unknown()),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()),
  presets: z.record(z.string(), z.unknown()),
  /** Of an installed one. */
  version: z.string().nullable(),
  /** Why it does not run, or null. */
  disabled: z.string().nullable(),
  breaker: z.object({ state: z.enum(['closed', 'open', 'half_open']), failures: z.number(), until: z.string().nullable() }),
});
export type SkillInfo = z.infer<typeof SkillInfo>;

export const listSkills = endpoint({
  method: 'GET',
  path: '/api/skills',
  grant: 'skills:read',
  summary: 'The skill catalogue with schemas, grants and health.',
  input: z.strictObject({}),
  output: z.object({ items: z.array(SkillInfo) }),
});
export const getSkill = endpoint({
  method: 'GET',
  path: '/api/skills/{name}',
  grant: 'skills:read',
  summary: 'One skill.',
  input: z.strictObject({ name: z.string() }),
  output: SkillInfo,
});
export const runSkill = endpoint({
  method: 'POST',
  path: '/api/skills/{name}/run',
  grant: 'skills:run',
  summary: 'Tries one skill once, under policy, as a run of its own.',
  input: z.strictObject({
    name: z.string(),
    input: AnyJson.optional(),
    config: AnyJson.optional(),
    prompt: z.string().optional(),
    dryRun: z.boolean().default(false),
  }),
  output: z.object({ runId: z.string(), outcome: z.string(), output: AnyJson, labels: z.array(z.string()) }),
});

export * from './installed/shapes.ts';
