import { frame, textOf } from './wire.ts';
import type { ErrorContext, FakeAnswer, FakeError, FakeWire, Loose, Turn } from './wire.ts';

/** Gemini: ai.google.dev/api/generate-content; errors are google.rpc.Status. */
export const googleWire: FakeWire = {
  vendor: 'google',
  path: /\/models\/([^/:]+):(?:streamG|g)enerateContent$/,

  understand(body, path) {
    const contents: Loose[] = body['contents'] ?? [];
    const since: Loose[] = contents.slice(contents.findLastIndex((it) => it['role'] === 'model') + 1).flatMap((it) => it['parts'] ?? []);
    return {
      model: decodeURIComponent(this.path.exec(path)?.[1] ?? ''),
      stream: path.includes(':stream'),
      system: textOf(body['systemInstruction']?.parts),
      prompt: textOf(since),
      toolResults: since.filter((it) => it['functionResponse']).map((it) => JSON.stringify(it['functionResponse'].response)),
      tools: (body['tools'] ?? []).flatMap((it: Loose) => it['functionDeclarations'] ?? []).map((it: Loose) => it['name']),
      schema: body['generationConfig']?.responseJsonSchema ?? body['generationConfig']?.responseSchema,
    };
  },

  whole: (turn) =>
    answer(turn, [...headParts(turn), ...(turn.pieces.length > 0 ? [{ text: turn.pieces.join('') }] : []), ...callParts(turn)], true),

  frames(turn) {
    const head = headParts(turn).map((part) => frame(answer(turn, [part])));
    const calls = callParts(turn);
    return {
      head,
      pieces: turn.pieces.map((text) => frame(answer(turn, [{ text }]))),
      tail: [frame(answer(turn, calls.length > 0 ? calls : [{ text: '' }], true))],
    };
  },

  error: (kind, about) => errors(about)[kind],
  errorFrame: (kind, about) => frame(errors(about)[kind].body),
};

function headParts({ reasoning }: Turn): object[] {
  return reasoning ? [{ text: reasoning, thought: true }] : [];
}

/** Gemini 3 refuses a conversation whose calls come back without their signature. */
function callParts({ toolCalls }: Turn): object[] {
  return toolCalls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input }, thoughtSignature: 'c2lnbmVk' }));
}

function answer(turn: Turn, parts: readonly object[], last = false): object {
  const { usage } = turn;
  const finishReason = { stop: 'STOP', tool_calls: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY' }[turn.finish];
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, ...(last && { finishReason }) }],
    usageMetadata: {
      promptTokenCount: usage.input,
      cachedContentTokenCount: usage.cached,
      candidatesTokenCount: usage.output - usage.reasoning,
      thoughtsTokenCount: usage.reasoning,
      totalTokenCount: usage.input + usage.output,
    },
    modelVersion: turn.model,
    responseId: turn.id,
  };
}

function errors({ model, key, retryAfterSeconds }: ErrorContext): Record<FakeError, FakeAnswer> {
  const body = (code: number, status: string, message: string, details: readonly object[] = []): object => ({
    error: { code, message, status, ...(details.length > 0 && { details }) },
  });
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfterSeconds}s` };
  const badKey = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' };
  return {
    rate_limited: { status: 429, body: body(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, please retry later.', [retry]) },
    quota: {
      status: 429,
      body: body(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan and billing details.'),
    },
    auth: { status: 400, body: body(400, 'INVALID_ARGUMENT', `API key not valid: ${key}`, [badKey]) },
    overloaded: { status: 503, body: body(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.') },
    server: { status: 500, body: body(500, 'INTERNAL', 'An internal error has occurred.') },
    model_missing: { status: 404, body: body(404, 'NOT_FOUND', `models/${model} is not found for API version v1beta`) },
    bad_request: { status: 400, body: body(400, 'INVALID_ARGUMENT', 'contents is not specified') },
    schema_refused: { status: 400, body: body(400, 'INVALID_ARGUMENT', 'response_json_schema: unsupported') },
  };
}
