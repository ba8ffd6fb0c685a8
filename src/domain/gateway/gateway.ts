import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Caller } from '#core/endpoint';
import { AppError, errorInfo, httpStatus, type ErrorInfo } from '#core/errors';
import type { NewId } from '#core/ids';
import { parseJson } from '#core/json';
import { readBody, sendJson } from '#core/raw-body';
import type { RawRoute } from '#core/raw-route';
import { z } from 'zod';
import { estimateInput } from '#llm';
import type { CallDefaults, CallScope, LlmEvent, ScopedLlm } from '#llm/contract';
import type { Runs } from '#runs';
import { wishOf } from './model-names.ts';
import type { GatewayScope, GatewaySessions } from './sessions.ts';
import type { Answered, Asked, Head, ToolCall, Wire } from './wire.ts';

/** The protocols; each is loaded by the first who speaks it. */
const wires = {
  anthropic: { keyHeaders: ['x-api-key'], load: async () => (await import('./anthropic.ts')).anthropic },
  responses: { keyHeaders: [], load: async () => (await import('./responses.ts')).responses },
  chat: { keyHeaders: [], load: async () => (await import('./chat.ts')).chat },
  google: { keyHeaders: ['x-goog-api-key'], load: async () => (await import('./google.ts')).google },
} as const satisfies Record<Wire['id'], { readonly keyHeaders: readonly string[]; load(): Promise<Wire> }>;
type WireId = keyof typeof wires;

/** Pictures come inside the body, and a long session is sent whole each time. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

export interface GatewayDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly runs: Pick<Runs, 'create' | 'change' | 'journal'>;
  readonly llm: (scope: CallScope, defaults: readonly CallDefaults[]) => ScopedLlm;
  readonly sessions: GatewaySessions;
  /** Names that clients can choose from, beside the tiers. */
  readonly models: () => Promise<readonly string[]>;
  readonly onError: (what: string, error: unknown) => void;
}

/**
 * The model router for other programs, in the words of their vendors: budgets, ledger, scanner and fallback hold for every call, whoever
 * made it. It never answers without a model.
 */
export function gatewayRoutes(deps: GatewayDeps): readonly RawRoute[] {
  const { clock, newId, models, onError } = deps;

  async function answer(wire: Wire, req: IncomingMessage, res: ServerResponse, about: About): Promise<void> {
    const asked = wire.read(parseJson(await readBody(req, MOST_BODY_BYTES), z.unknown(), 'Body'), about.params);
    const head: Head = { id: newId(), created: Math.floor(clock.now() / 1_000), model: asked.model };
    const events = (async function* () {
      yield* call(deps, asked, about.caller, about.signal);
    })();
    if (!asked.stream) return sendJson(res, 200, wire.whole(head, await gather(events)));
    const writer = wire.frames(head);
    let isOpen = false;
    const write = async (text: string): Promise<void> => {
      if (text !== '' && !res.write(text)) await once(res, 'drain', { signal: about.signal });
    };
    try {
      for await (const event of events) {
        if (!isOpen) {
          res.writeHead(200, {
            'content-type': 'text/event-stream; charset=utf-8',
            'cache-control': 'no-store',
            'x-accel-buffering': 'no',
          });
          await write(writer.open());
          isOpen = true;
        }
        await write(event.type === 'end' ? writer.end(event) : writer.event(event));
      }
      res.end();
    } catch (error) {
      if (!isOpen || about.signal.aborted) throw error;
      const { info, status } = told(error, onError);
      res.end(writer.error(info, status));
    }
  }

  const answering =
    (id: WireId, handle: Handle): RawRoute['handle'] =>
    async (req, res, about) => {
      const wire = await wires[id].load();
      try {
        await handle(wire, req, res, about);
      } catch (error) {
        if (about.signal.aborted) return void res.destroy();
        const { info, status } = told(error, onError);
        if (res.headersSent) res.destroy();
        else sendJson(res, status, wire.error(info, status));
      }
    };

  async function countTokens(wire: Wire, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const asked = wire.read(parseJson(await readBody(req, MOST_BODY_BYTES), z.unknown(), 'Body'), {});
    sendJson(res, 200, { input_tokens: estimateInput({ system: systemOf(asked), messages: asked.messages, tools: asked.tools }) });
  }

  async function listModels(_wire: Wire, _req: IncomingMessage, res: ServerResponse): Promise<void> {
    const at = clock.now();
    const data = (await names()).map((id) => ({
      id,
      object: 'model',
      type: 'model',
      display_name: id,
      owned_by: 'castellan',
      created: Math.floor(at / 1_000),
      created_at: new Date(at).toISOString(),
    }));
    sendJson(res, 200, { object: 'list', data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  }

  async function listGoogleModels(_wire: Wire, _req: IncomingMessage, res: ServerResponse): Promise<void> {
    const supportedGenerationMethods = ['generateContent', 'streamGenerateContent'];
    sendJson(res, 200, { models: (await names()).map((id) => ({ name: `models/${id}`, displayName: id, supportedGenerationMethods })) });
  }

  const names = async (): Promise<string[]> => [...new Set(['light', 'medium', 'heavy', 'local', ...(await models())])];

  const post = (id: WireId, path: `/${string}`, summary: string, handle: Handle = answer): RawRoute => ({
    method: 'POST',
    path,
    grant: 'llm:call',
    summary,
    keyHeaders: wires[id].keyHeaders,
    handle: answering(id, handle),
  });

  return [
    post('anthropic', '/gateway/v1/messages', 'The gateway: Anthropic Messages, answered by the model router.'),
    post('anthropic', '/gateway/v1/messages/count_tokens', 'The gateway: how many tokens a request is, about.', countTokens),
    post('responses', '/gateway/v1/responses', 'The gateway: OpenAI Responses, answered by the model router.'),
    post('chat', '/gateway/v1/chat/completions', 'The gateway: OpenAI Chat Completions, answered by the model router.'),
    post(
      'google',
      '/gateway/v1beta/models/{call}',
      'The gateway: Gemini generateContent and streamGenerateContent, answered by the model router.',
    ),
    {
      method: 'GET',
      path: '/gateway/v1/models',
      grant: 'llm:call',
      summary: 'The gateway: models by name, and the tiers, for clients of Anthropic and OpenAI.',
      keyHeaders: wires.anthropic.keyHeaders,
      handle: answering('chat', listModels),
    },
    {
      method: 'GET',
      path: '/gateway/v1beta/models',
      grant: 'llm:call',
      summary: 'The gateway: models by name, and the tiers, for clients of Gemini.',
      keyHeaders: wires.google.keyHeaders,
      handle: answering('google', listGoogleModels),
    },
  ];
}

interface About {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly params: Readonly<Record<string, string>>;
}

type Handle = (wire: Wire, req: IncomingMessage, res: ServerResponse, about: About) => Promise<void>;

/** One model call: of the session's run when a child process makes it, else a run of its own. */
async function* call(deps: GatewayDeps, asked: Asked, caller: Caller, signal: AbortSignal): AsyncGenerator<LlmEvent> {
  const session = deps.sessions.scopeOf(caller);
  const { scope, end } = session ? { scope: session, end: async () => {} } : await ownRun(deps, asked, caller);
  const { defaults, onReceipt, ...callScope } = scope;
  const llm = deps.llm(callScope, [...defaults, wishOf(asked.model)]);
  const request = {
    system: systemOf(asked),
    messages: asked.messages,
    tools: asked.tools,
    ...(asked.maxOutputTokens !== undefined && { maxOutputTokens: asked.maxOutputTokens }),
    ...(asked.temperature !== undefined && { temperature: asked.temperature }),
    allowOffline: false,
    signal,
  };
  let failure: unknown = new AppError('unavailable', 'gateway.client_gone', 'The client went away');
  try {
    for await (const event of llm.stream(request)) {
      if (event.type === 'end') onReceipt?.(event.receipt);
      yield event;
    }
    failure = null;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await end(failure);
  }
}

type RunEnd = (failure: unknown) => Promise<void>;

async function ownRun(
  { store, clock, runs, onError }: GatewayDeps,
  asked: Asked,
  caller: Caller,
): Promise<{ scope: GatewayScope; end: RunEnd }> {
  const { run } = await store.write((tx) =>
    runs.create(tx, {
      kind: 'turn',
      title: `Model call of ${caller.id}`,
      trigger: { kind: 'api', by: caller.id },
      status: 'running',
      input: { model: asked.model, messages: asked.messages.length, tools: asked.tools.length },
    }),
  );
  const lines: Promise<void>[] = [];
  const journal: GatewayScope['journal'] = (type, data) =>
    void lines.push(runs.journal(run.id, type, null, data).catch((error: unknown) => onError('A journal line was lost', error)));
  const end: RunEnd = async (failure) => {
    await Promise.all(lines);
    const set =
      failure === null
        ? { status: 'succeeded' as const, outcome: 'stop' }
        : { status: 'failed' as const, outcome: 'failed', error: JSON.stringify(errorInfo(failure)) };
    await store.write((tx) => runs.change(tx, run.id, { ...set, ended_at: clock.now() }));
  };
  return { scope: { runId: run.id, purpose: 'gateway', defaults: [], journal }, end };
}

function systemOf({ system, schema }: Asked): string {
  if (schema === undefined || schema === null) return system;
  return `${system}\n\nAnswer with JSON alone, with no words around it, that satisfies this JSON Schema:\n${JSON.stringify(schema)}`.trim();
}

async function gather(events: AsyncIterable<LlmEvent>): Promise<Answered> {
  let text = '';
  let reasoning = '';
  const toolCalls: ToolCall[] = [];
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    else if (event.type === 'reasoning') reasoning += event.text;
    else if (event.type === 'tool_call') toolCalls.push(event);
    else return { text, reasoning, toolCalls, end: event };
  }
  throw new Error('A stream of the router ends with an end event or an error');
}

/** Over budget is no 429: clients try those again, and this does not mend itself. */
const STATUS: Readonly<Record<string, number>> = { 'llm.over_budget': 403, 'input.too_large': 413 };

/** What a client is told. */
function told(error: unknown, onError: GatewayDeps['onError']): { info: ErrorInfo; status: number } {
  if (error instanceof z.ZodError) {
    const [first] = error.issues;
    const field = first?.path.join('.') ?? '';
    const message = `${field === '' ? 'Body' : field}: ${first?.message ?? 'invalid'}`;
    return { info: { kind: 'invalid', code: 'gateway.bad_request', message, details: { field } }, status: 400 };
  }
  if (error instanceof AppError) return { info: errorInfo(error), status: STATUS[error.code] ?? httpStatus[error.kind] };
  onError('A call of the gateway failed', error);
  return { info: { kind: 'internal', code: 'internal', message: 'Something went wrong here; the log knows what' }, status: 500 };
}
