import { textOf } from './wire.ts';
import type { ErrorContext, FakeAnswer, FakeError, FakeWire, Loose, Turn } from './wire.ts';

/** Ollama's own chat: docs.ollama.com/api/chat. */
export const ollamaWire: FakeWire = {
  vendor: 'ollama',
  path: /\/api\/chat$/,

  understand(body) {
    const messages: Loose[] = body['messages'] ?? [];
    const since = messages.slice(messages.findLastIndex((it) => it['role'] === 'assistant') + 1);
    return {
      model: body['model'],
      stream: body['stream'] !== false,
      system: textOf(messages.filter((it) => it['role'] === 'system').map((it) => it['content'])),
      prompt: textOf(since.filter((it) => it['role'] === 'user').map((it) => it['content'])),
      toolResults: since.filter((it) => it['role'] === 'tool').map((it) => textOf(it['content'])),
      tools: (body['tools'] ?? []).map((it: Loose) => it['function']?.name),
      schema: body['format'],
    };
  },

  whole: (turn) => ({
    ...last(turn),
    message: { role: 'assistant', content: turn.pieces.join(''), thinking: turn.reasoning, tool_calls: callsOf(turn) },
  }),

  frames(turn) {
    const line = (message: object): string =>
      lineOf({ model: turn.model, message: { role: 'assistant', content: '', ...message }, done: false });
    return {
      head: turn.reasoning ? [line({ thinking: turn.reasoning })] : [],
      pieces: turn.pieces.map((content) => line({ content })),
      tail: [...(turn.toolCalls.length > 0 ? [line({ tool_calls: callsOf(turn) })] : []), lineOf(last(turn))],
    };
  },

  error: (kind, about) => errors(about)[kind],
  errorFrame: (kind, about) => lineOf(errors(about)[kind].body),
};

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function last({ model, finish, usage }: Turn): object {
  return {
    model,
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: finish === 'length' ? 'length' : 'stop',
    prompt_eval_count: usage.input,
    eval_count: usage.output,
  };
}

function callsOf({ toolCalls }: Turn): object[] {
  return toolCalls.map(({ name, input }) => ({ function: { name, arguments: input } }));
}

function errors({ model, key, retryAfterSeconds }: ErrorContext): Record<FakeError, FakeAnswer> {
  const answer = (status: number, error: string, headers: Record<string, string> = {}): FakeAnswer => ({
    status,
    headers,
    body: { error },
  });
  return {
    rate_limited: answer(429, 'too many requests', { 'retry-after': String(retryAfterSeconds) }),
    quota: answer(402, 'usage limit reached'),
    auth: answer(401, `unauthorized: ${key}`),
    overloaded: answer(503, 'server busy, please try again. maximum pending requests exceeded'),
    server: answer(500, 'llama runner process has terminated'),
    model_missing: answer(404, `model '${model}' not found`),
    bad_request: answer(400, 'invalid role'),
    schema_refused: answer(400, 'invalid format: grammar'),
  };
}
