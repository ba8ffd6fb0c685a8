import type { z } from 'zod';
import { AppError } from '#core/errors';
import { mapTexts } from '#core/json';
import { attempt, AttemptFailed, type AttemptDeps, type Prepared, type Target } from './attempt.ts';
import type { OverBudget } from './budgets.ts';
import { candidates, choose, type Candidate } from './chain.ts';
import type {
  CallDefaults,
  CallReceipt,
  CallScope,
  LlmEvent,
  LlmRequest,
  Message,
  ModelCall,
  ModelEvent,
  Part,
  ScopedLlm,
  Tier,
  ToolSpec,
  Usage,
} from './contract.ts';
import { embedTexts, type EmbedDeps } from './embed.ts';
import { endOfChain, failed } from './errors.ts';
import { estimateInput } from './estimate.ts';
import { NO_USAGE, tell, type Spent } from './ledger.ts';
import type { Provider } from './providers.ts';
import { redactJson, type Scanner } from './redaction.ts';
import { readObject, repairMessages, toJsonSchema } from './structured.ts';

/** Asked again this often for an answer that fits its schema. */
const REPAIRS = 2;

export interface RouterDeps {
  readonly ready: () => Promise<void>;
  readonly providers: () => readonly Provider[];
  /** A candidate made ready for a call, or why it is left out. */
  readonly target: (
    candidate: Candidate,
    needs: { readonly local: boolean; readonly tools: boolean },
  ) => Promise<Target | { readonly skip: string; readonly detail?: string }>;
  readonly offline: () => Target | null;
  readonly attempts: AttemptDeps;
  readonly embedding: EmbedDeps;
  readonly scanner: Scanner | undefined;
  readonly settings: () => { readonly defaultTier: Tier; readonly maxOutputTokens: number };
  readonly onOverBudget: (over: OverBudget) => void;
}

type Schema = ModelCall['schema'];
interface Hop {
  readonly provider: string;
  readonly reason: string;
}
type RouteEvent =
  | Exclude<ModelEvent, { type: 'end' }>
  | { readonly type: 'restart' }
  | { readonly type: 'end'; readonly reason: string; readonly receipt: CallReceipt };

/** The router bound to who pays and to what they prefer, the strongest first. */
export function createScopedLlm(deps: RouterDeps, scope: CallScope, defaults: readonly CallDefaults[]): ScopedLlm {
  /** Tries one candidate after the other until one answers. Once its reader has seen text of one, only `restartable` readers get another's. */
  async function* route(
    request: LlmRequest,
    messages: readonly Message[],
    schema: Schema,
    restartable: boolean,
  ): AsyncGenerator<RouteEvent> {
    await deps.ready();
    const choice = choose([request, ...defaults], deps.settings().defaultTier);
    const call = prepare(request, messages, schema);
    const needs = { local: choice.tier === 'local', tools: (call.tools?.length ?? 0) > 0 };
    const hops: Hop[] = [];
    const spent: Spent[] = [];
    let over: OverBudget | null = null;

    const leave = (provider: string, reason: string, detail?: string): void => {
      hops.push({ provider, reason });
      tell(scope, 'llm.hop', { provider, reason, ...(detail !== undefined && { detail }) });
    };

    async function* tryOne(target: Target): AsyncGenerator<RouteEvent, boolean> {
      let shown = false;
      try {
        const calling = attempt(deps.attempts, target, call, scope, hops.length);
        try {
          for (;;) {
            const { done, value } = await calling.next();
            if (!done) {
              shown = true;
              yield value;
              continue;
            }
            if ('refused' in value) {
              if (value.refused === 'daily_limit') leave(target.name, 'daily_limit');
              else {
                over ??= value.refused;
                deps.onOverBudget(value.refused);
                leave(target.name, 'over_budget', value.refused.scope);
              }
              return false;
            }
            spent.push(value.spent);
            yield { type: 'end', reason: value.reason, receipt: receiptOf(target, spent, hops) };
            return true;
          }
        } finally {
          await calling.return({ refused: 'daily_limit' }); // does nothing unless our reader left: then it ends and books the call
        }
      } catch (thrown) {
        if (!(thrown instanceof AttemptFailed)) throw thrown;
        spent.push(thrown.spent);
        if (request.signal.aborted) throw request.signal.reason;
        leave(target.name, thrown.failure.reason, thrown.failure.message);
        if (!shown) return false;
        if (!restartable) throw failed('The answer broke off', hops, { partial: true }, thrown);
        yield { type: 'restart' };
        return false;
      }
    }

    for (const candidate of candidates(deps.providers(), choice, () => over !== null)) {
      request.signal.throwIfAborted();
      const target = await deps.target(candidate, needs);
      if ('skip' in target) leave(candidate.provider.name, target.skip, target.detail);
      else if (yield* tryOne(target)) return;
    }
    request.signal.throwIfAborted();
    if (choice.provider !== undefined && choice.provider !== 'offline' && hops.length === 0) leave(choice.provider, 'unknown_provider');
    const offline = request.allowOffline === false ? null : deps.offline();
    if (offline && (yield* tryOne(offline))) return;
    throw endOfChain(choice.tier, hops, over);
  }

  function prepare(request: LlmRequest, messages: readonly Message[], schema: Schema): Prepared {
    const { scanner } = deps;
    const system = request.system && (scanner?.redact(request.system) ?? request.system);
    const clean = scanner ? messages.map((it) => redactMessage(scanner, it)) : messages;
    const tools = request.tools?.length ? request.tools.map((it) => redactTool(scanner, it)) : undefined;
    const inputTokens = estimateInput({
      messages: clean,
      ...(system !== undefined && { system }),
      ...(tools && { tools }),
      ...(schema && { schema }),
    });
    return {
      system,
      messages: clean,
      tools,
      schema,
      task: request.task && scanner ? redactTask(scanner, request.task) : request.task,
      temperature: request.temperature,
      maxOutputTokens: request.maxOutputTokens ?? deps.settings().maxOutputTokens,
      inputTokens,
      signal: request.signal,
    };
  }

  async function collect(request: LlmRequest, messages: readonly Message[], schema?: Schema) {
    let text = '';
    let reasoning = '';
    let toolCalls: Extract<Part, { type: 'tool_call' }>[] = [];
    for await (const event of route(request, messages, schema, true)) {
      if (event.type === 'text') text += event.text;
      else if (event.type === 'reasoning') reasoning += event.text;
      else if (event.type === 'tool_call') toolCalls.push(event);
      else if (event.type === 'end') return { text, reasoning, toolCalls, receipt: event.receipt };
      else [text, reasoning, toolCalls] = ['', '', []];
    }
    throw new Error('A route ends with an end event or an error');
  }

  return {
    async *stream(request) {
      for await (const event of route(request, messagesOf(request), undefined, false)) yield event as LlmEvent;
    },

    complete: (request) => collect(request, messagesOf(request)),

    async object<S extends z.ZodType>({
      schema,
      schemaName,
      ...request
    }: LlmRequest & { readonly schema: S; readonly schemaName: string }) {
      const wanted = { name: schemaName, jsonSchema: toJsonSchema(schema) };
      const messages = [...messagesOf(request)];
      const receipts: CallReceipt[] = [];
      for (;;) {
        const { text, receipt } = await collect(request, messages, wanted);
        receipts.push(receipt);
        const read = await readObject(text, schema);
        if ('value' in read) return { value: read.value, receipt: joinReceipts(receipts) };
        tell(scope, 'llm.bad_output', { provider: receipt.provider, problem: read.problem });
        // The provider without a model says the same again.
        if (receipts.length > REPAIRS || receipt.offline) {
          throw new AppError(
            'unavailable',
            'llm.bad_output',
            `${receipt.provider} gave no answer that fits ${schemaName}: ${read.problem}`,
            { provider: receipt.provider, schema: schemaName, offline: receipt.offline },
          );
        }
        messages.push(...repairMessages(text, read.problem));
      }
    },

    async embed(texts, { signal }) {
      await deps.ready();
      return embedTexts(
        deps.embedding,
        scope,
        texts.map((text) => deps.scanner?.redact(text) ?? text),
        signal,
      );
    },
  };
}

function messagesOf({ prompt, messages = [] }: LlmRequest): readonly Message[] {
  if (prompt === undefined && messages.length === 0)
    throw new AppError('invalid', 'llm.empty_request', 'prompt: give a prompt or messages');
  return prompt === undefined ? messages : [...messages, { role: 'user', parts: [{ type: 'text', text: prompt }] }];
}

function redactMessage(scanner: Scanner, { role, parts }: Message): Message {
  const redacted = parts.map((part): Part => {
    if (part.type === 'text') return { ...part, text: scanner.redact(part.text) };
    if (part.type === 'tool_result') return { ...part, output: scanner.redact(part.output) };
    if (part.type === 'tool_call') return { ...part, input: redactJson(scanner, part.input) };
    return part;
  });
  return { role, parts: redacted };
}

/** Descriptions may come from far away, as those of another program's tools do. The names of fields are no secrets' names here. */
function redactTool(scanner: Scanner | undefined, tool: ToolSpec): ToolSpec {
  return scanner ? (mapTexts(tool as never, (text) => scanner.redact(text)) as never) : tool;
}

function redactTask(scanner: Scanner, task: NonNullable<LlmRequest['task']>): NonNullable<LlmRequest['task']> {
  return redactJson(scanner, task as never) as unknown as NonNullable<LlmRequest['task']>;
}

/** Usage and cost are those of the whole request, attempts that failed on the way included. */
function receiptOf({ name, kind, model, offline }: Target, spent: readonly Spent[], hops: readonly Hop[]): CallReceipt {
  return {
    callId: spent.at(-1)?.callId ?? '',
    provider: name,
    kind,
    model,
    usage: spent.map((it) => it.usage).reduce(addUsage, NO_USAGE),
    costUsd: spent.reduce((sum, it) => sum + it.costUsd, 0),
    offline,
    hops: [...hops],
  };
}

function joinReceipts(receipts: readonly CallReceipt[]): CallReceipt {
  return {
    ...receipts.at(-1)!,
    usage: receipts.map((it) => it.usage).reduce(addUsage, NO_USAGE),
    costUsd: receipts.reduce((sum, it) => sum + it.costUsd, 0),
    hops: receipts.flatMap((it) => it.hops),
  };
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}
