import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import { enclose, newBoundary } from '#content';
import type { ToolSpec } from '#llm/contract';
import { policyQuestion } from '#policy';
import { insertStep, updateStep, type StepRow } from '#runs';
import type { Label, Taken } from '#runs/contract';
import { urlsIn, type Catalogue } from '#skills';
import type { SkillInfo, SkillResult, SkillRunner } from '#skills/contract';
import type { Question } from '#workflows';
import type { TurnView } from './hooks.ts';
import type { Toolbox, ToolCall, ToolOutcome } from './tools.ts';

/** A longer result would fill the model's window by itself. */
const LONGEST_OUTPUT = 40_000;

export interface SkillToolsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly catalogue: Pick<Catalogue, 'list'>;
  readonly runner: SkillRunner;
  /** For the boundaries of envelopes. */
  readonly random: () => number;
  /** Asks the owner and waits: the id of the option, or null when nobody answered in time. */
  readonly ask: (question: Question, signal: AbortSignal) => Promise<string | null>;
}

/** The skills as tools: each call is a step of the turn's run, under the policy, budget and journal that every skill is under. */
export function skillTools({ store, clock, catalogue, runner, random, ask }: SkillToolsDeps): Toolbox {
  return {
    async open(turn) {
      const skills = catalogue.list().filter((skill) => isOffered(skill, turn));
      let count = 0;
      return {
        specs: skills.map(toSpec),
        async call(call, seen, signal) {
          count += 1;
          const step = await begin(turn.runId, `tool-${count}/${call.name}`, count, call, seen);
          const taken: Taken[] = [];
          const outcome = await attempt(turn, call, step.path, seen, taken, signal);
          await end(step, outcome, seen, taken);
          signal.throwIfAborted();
          return outcome;
        },
      };
    },
  };

  async function begin(runId: string, path: string, seq: number, call: ToolCall, seen: ReadonlySet<Label>): Promise<StepRow> {
    const row: StepRow = {
      run_id: runId,
      path,
      seq,
      name: call.name,
      skill: call.name,
      status: 'running',
      attempt: 1,
      interruptions: 0,
      outcome: null,
      next: null,
      input: JSON.stringify(call.input),
      output: null,
      error: null,
      labels: JSON.stringify([...seen]),
      taken: null,
      cost_usd: 0,
      waits_for: null,
      signal: null,
      deferred: null,
      started_at: clock.now(),
      ended_at: null,
      wake_at: null,
    };
    await store.write((tx) => insertStep(tx, row));
    return row;
  }

  async function end(
    row: StepRow,
    { output, isError, labels, code }: ToolOutcome,
    seen: ReadonlySet<Label>,
    taken: readonly Taken[],
  ): Promise<void> {
    await store.write((tx) =>
      updateStep(tx, row.run_id, row.path, {
        status: isError ? 'failed' : 'succeeded',
        outcome: isError ? 'on_error' : 'ok',
        output: JSON.stringify(output),
        error: isError ? JSON.stringify({ kind: 'unavailable', code: code ?? 'skill.failed', message: output }) : null,
        labels: JSON.stringify([...seen.union(new Set(labels))]),
        taken: taken.length > 0 ? JSON.stringify(taken) : null,
        ended_at: clock.now(),
      }),
    );
  }

  async function attempt(
    turn: TurnView,
    call: ToolCall,
    step: string,
    seen: ReadonlySet<Label>,
    taken: Taken[],
    signal: AbortSignal,
  ): Promise<ToolOutcome> {
    const read = (): Label[] => [...new Set(taken.map(({ label }) => label))];
    for (;;) {
      try {
        const result = await perform(turn, call, step, seen, taken, signal);
        return toOutcome(call.name, { ...result, labels: [...new Set([...(result.labels ?? []), ...read()])] });
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof AppError && error.code === 'policy.ask' && (await isAllowed(turn, call, step, error, signal))) continue;
        const { code, message, details } = errorInfo(error);
        const told = code === 'policy.ask' ? { code: 'policy.refused', message: 'The owner said no' } : { code, message, details };
        return { output: JSON.stringify({ error: told }), isError: true, labels: read(), code: told.code };
      }
    }
  }

  async function isAllowed(turn: TurnView, call: ToolCall, step: string, error: AppError, signal: AbortSignal): Promise<boolean> {
    const who = `${turn.assistant.name}, with the tool ${call.name},`;
    const asked = policyQuestion(error, { runId: turn.runId, step, who }, clock.now());
    const details = JSON.parse(JSON.stringify(error.details)) as Json;
    const option = await ask({ ...asked, runId: turn.runId, step, title: turn.assistant.name, details }, signal);
    return option === 'yes' || option === 'always';
  }

  function perform(
    turn: TurnView,
    call: ToolCall,
    step: string,
    seen: ReadonlySet<Label>,
    taken: Taken[],
    signal: AbortSignal,
  ): Promise<SkillResult> {
    const { id, tier, provider, model, budget } = turn.assistant;
    const { input, ...config } = fieldsOf(call.input);
    return runner.run({
      skill: call.name,
      config,
      ownConfig: {}, // nothing that a model writes was named by the owner
      input: input ?? null,
      prompt: null,
      signal,
      llm: [{ ...(tier && { tier }), ...(provider && { provider }), ...(model && { model }) }],
      run: { id: turn.runId, workflowId: null, dryRun: false, ...(budget.turnUsd !== undefined && { perRunUsd: budget.turnUsd }) },
      step,
      onBehalf: { chain: ['owner', `assistant:${id}`] },
      labels: [...seen],
      took: (it) => void taken.push(it),
      resources: [],
      ownAddresses: [], // so no private address is reached by its word
      said: turn.said.has('untrusted') ? [] : [...urlsIn(turn.text)],
      render: async (template) => template,
    });
  }

  function toOutcome(tool: string, { outcome, output, labels = [] }: SkillResult): ToolOutcome {
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    const cut = text.length > LONGEST_OUTPUT ? `${text.slice(0, LONGEST_OUTPUT)}\n[${text.length - LONGEST_OUTPUT} more characters]` : text;
    const told = labels.includes('untrusted') ? enclose(cut, { source: tool, labels, boundary: newBoundary(random) }) : cut;
    return { output: outcome === 'ok' || outcome === 'on_success' ? told : `${outcome}\n${told}`, isError: false, labels };
  }
}

/** In `plan` mode an assistant only looks: what acts or keeps something is not offered. */
const LOOKING: ReadonlySet<string> = new Set(['net:fetch', 'memory:read', 'llm:call']);

function isOffered({ asTool, grants, breaker }: SkillInfo, { assistant }: TurnView): boolean {
  if (!asTool || breaker.state === 'open') return false;
  return assistant.permissionMode !== 'plan' || grants.every((grant) => LOOKING.has(grant));
}

/** A tool's fields are those of the skill's configuration, with `input` beside them. */
function toSpec({ name, title, description, configSchema, inputSchema }: SkillInfo): ToolSpec {
  const { properties = {}, required = [], $defs } = configSchema as { properties?: object; required?: string[]; $defs?: object };
  return {
    name,
    description: `${title}. ${description}`,
    inputSchema: {
      type: 'object',
      properties: {
        ...properties,
        input: { description: 'What it works on, where the other fields do not say it', ...schemaOf(inputSchema) },
      },
      required,
      additionalProperties: false,
      ...($defs && { $defs }),
    },
  };
}

/** Providers want a type; what takes any JSON is described as text. */
function schemaOf({ $schema: _dialect, ...schema }: Readonly<Record<string, unknown>>): object {
  return 'type' in schema ? schema : { type: 'string' };
}

function fieldsOf(input: Json): Readonly<Record<string, Json>> {
  return input !== null && typeof input === 'object' && !Array.isArray(input) ? (input as Record<string, Json>) : { input };
}
