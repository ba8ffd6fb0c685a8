import { frame, textOf } from './wire.ts';
import type { ErrorContext, FakeAnswer, FakeError, FakeWire, Loose, Turn } from './wire.ts';

/** OpenAI Responses: platform.openai.com/docs/api-reference/responses and its streaming events. */
export const responsesWire: FakeWire = {
  vendor: 'openai',
  path: /\/v1\/responses$/,

  understand(body) {
    const input: Loose[] = typeof body['input'] === 'string' ? [{ role: 'user', content: body['input'] }] : (body['input'] ?? []);
    const since = input.slice(input.findLastIndex((it) => it['role'] === 'assistant' || it['type'] === 'function_call') + 1);
    return {
      model: body['model'],
      stream: body['stream'] === true,
      system: [
        body['instructions'],
        ...input.filter((it) => it['role'] === 'system' || it['role'] === 'developer').map((it) => textOf(it['content'])),
      ]
        .filter(Boolean)
        .join('\n'),
      prompt: textOf(since.filter((it) => it['role'] === 'user').map((it) => textOf(it['content']))),
      toolResults: since.filter((it) => it['type'] === 'function_call_output').map((it) => textOf(it['output'])),
      // Codex sends the tools of an MCP server inside a namespace.
      tools: (body['tools'] ?? []).flatMap((it: Loose) => (it['type'] === 'namespace' ? it['tools'] : [it])).map((it: Loose) => it['name']),
      schema: body['text']?.format?.schema,
    };
  },

  whole: (turn) => response(turn, outputOf(turn)),

  frames(turn) {
    const output = outputOf(turn);
    const head = [event('response.created', { response: response(turn, [], 'in_progress') })];
    const tail: string[] = [];
    const messageIndex = output.findIndex((it) => it['type'] === 'message');
    for (const [output_index, item] of output.entries()) {
      const item_id = item['id'];
      const out = output_index < messageIndex || item['type'] === 'message' ? head : tail;
      out.push(
        event('response.output_item.added', { output_index, item: { ...item, ...EMPTIED[item['type'] as string], status: 'in_progress' } }),
      );
      if (item['type'] === 'reasoning') {
        out.push(
          event('response.reasoning_summary_part.added', {
            item_id,
            output_index,
            summary_index: 0,
            part: { type: 'summary_text', text: '' },
          }),
        );
        out.push(event('response.reasoning_summary_text.delta', { item_id, output_index, summary_index: 0, delta: turn.reasoning }));
        out.push(
          event('response.reasoning_summary_part.done', {
            item_id,
            output_index,
            summary_index: 0,
            part: { type: 'summary_text', text: turn.reasoning },
          }),
        );
      }
      if (item['type'] === 'function_call')
        out.push(event('response.function_call_arguments.delta', { item_id, output_index, delta: item['arguments'] }));
      if (item['type'] === 'message')
        out.push(
          event('response.content_part.added', {
            item_id,
            output_index,
            content_index: 0,
            part: { type: 'output_text', text: '', annotations: [] },
          }),
        );
      (item['type'] === 'message' ? tail : out).push(event('response.output_item.done', { output_index, item }));
    }
    const final = turn.finish === 'length' ? 'response.incomplete' : 'response.completed';
    tail.push(event(final, { response: response(turn, output) }));
    const item_id = `msg_${turn.id}`;
    return {
      head,
      pieces: turn.pieces.map((delta) =>
        event('response.output_text.delta', { item_id, output_index: messageIndex, content_index: 0, delta }),
      ),
      tail,
    };
  },

  error: openaiError,
  errorFrame(kind, about) {
    const { error } = openaiError(kind, about).body as Loose;
    return frame({ type: 'error', sequence_number: 0, error }, 'error');
  },
};

const EMPTIED: Readonly<Record<string, object>> = {
  message: { content: [] },
  function_call: { arguments: '' },
  reasoning: { summary: [] },
};

function event(type: string, data: object): string {
  return frame({ type, sequence_number: 0, ...data }, type);
}

function outputOf(turn: Turn): Loose[] {
  return [
    ...(turn.reasoning
      ? [{ type: 'reasoning', id: `rs_${turn.id}`, summary: [{ type: 'summary_text', text: turn.reasoning }], encrypted_content: 'sealed' }]
      : []),
    ...(turn.pieces.length > 0
      ? [
          {
            type: 'message',
            id: `msg_${turn.id}`,
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text: turn.pieces.join(''), annotations: [] }],
          },
        ]
      : []),
    ...turn.toolCalls.map(({ id, name, input }) => ({
      type: 'function_call',
      id: `fc_${id}`,
      call_id: id,
      name,
      arguments: JSON.stringify(input),
      status: 'completed',
    })),
  ];
}

function response(turn: Turn, output: readonly Loose[], status: 'in_progress' | 'completed' = 'completed'): object {
  const { usage, finish } = turn;
  const cut = finish === 'length' || finish === 'content_filter';
  return {
    id: `resp_${turn.id}`,
    object: 'response',
    created_at: 1,
    model: turn.model,
    status: status === 'completed' && cut ? 'incomplete' : status,
    incomplete_details: status === 'completed' && cut ? { reason: finish === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
    output,
    error: null,
    usage:
      status === 'completed'
        ? {
            input_tokens: usage.input,
            input_tokens_details: { cached_tokens: usage.cached },
            output_tokens: usage.output,
            output_tokens_details: { reasoning_tokens: usage.reasoning },
            total_tokens: usage.input + usage.output,
          }
        : null,
  };
}

/** Chat Completions, as OpenAI and the servers after its pattern speak it: platform.openai.com/docs/api-reference/chat. */
export const chatWire: FakeWire = {
  vendor: 'compatible',
  path: /\/chat\/completions$/,

  understand(body) {
    const messages: Loose[] = body['messages'] ?? [];
    const since = messages.slice(messages.findLastIndex((it) => it['role'] === 'assistant') + 1);
    return {
      model: body['model'],
      stream: body['stream'] === true,
      system: messages
        .filter((it) => it['role'] === 'system')
        .map((it) => textOf(it['content']))
        .join('\n'),
      prompt: textOf(since.filter((it) => it['role'] === 'user').map((it) => textOf(it['content']))),
      toolResults: since.filter((it) => it['role'] === 'tool').map((it) => textOf(it['content'])),
      tools: (body['tools'] ?? []).map((it: Loose) => it['function']?.name),
      schema: body['response_format']?.json_schema?.schema,
    };
  },

  whole(turn) {
    const message = {
      role: 'assistant',
      content: turn.pieces.join('') || null,
      ...(turn.reasoning && { reasoning_content: turn.reasoning }),
      ...(turn.toolCalls.length > 0 && { tool_calls: chatCalls(turn) }),
    };
    return {
      ...completion(turn),
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: turn.finish }],
      usage: chatUsage(turn),
    };
  },

  frames(turn) {
    const chunk = (delta: object, finish_reason: string | null = null): string =>
      frame({ ...completion(turn), choices: [{ index: 0, delta, finish_reason }] });
    const head = [chunk({ role: 'assistant', content: '' })];
    if (turn.reasoning) head.push(chunk({ reasoning_content: turn.reasoning }));
    const tail = turn.toolCalls.length > 0 ? [chunk({ tool_calls: chatCalls(turn) })] : [];
    tail.push(chunk({}, turn.finish), frame({ ...completion(turn), choices: [], usage: chatUsage(turn) }), frame('[DONE]'));
    return { head, pieces: turn.pieces.map((content) => chunk({ content })), tail };
  },

  error: openaiError,
  errorFrame: (kind, about) => frame(openaiError(kind, about).body),
};

function completion({ id, model }: Turn): object {
  return { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created: 1, model };
}

function chatCalls({ toolCalls }: Turn): object[] {
  return toolCalls.map(({ id, name, input }, index) => ({
    index,
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function chatUsage({ usage }: Turn): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

/** platform.openai.com/docs/guides/error-codes; both APIs answer errors alike. */
export function openaiError(kind: FakeError, { model, key, retryAfterSeconds }: ErrorContext): FakeAnswer {
  const body = (type: string, code: string | null, message: string): object => ({ error: { message, type, param: null, code } });
  const answers: Record<FakeError, FakeAnswer> = {
    rate_limited: {
      status: 429,
      headers: { 'retry-after': String(retryAfterSeconds) },
      body: body('requests', 'rate_limit_exceeded', `Rate limit reached for ${model}`),
    },
    quota: {
      status: 429,
      body: body(
        'insufficient_quota',
        'insufficient_quota',
        'You exceeded your current quota, please check your plan and billing details.',
      ),
    },
    auth: { status: 401, body: body('invalid_request_error', 'invalid_api_key', `Incorrect API key provided: ${key}.`) },
    overloaded: { status: 503, body: body('server_error', null, 'The engine is currently overloaded, please try again later') },
    server: { status: 500, body: body('server_error', null, 'The server had an error while processing your request') },
    model_missing: {
      status: 404,
      body: body('invalid_request_error', 'model_not_found', `The model '${model}' does not exist or you do not have access to it.`),
    },
    bad_request: { status: 400, body: body('invalid_request_error', null, "Invalid value for 'messages'.") },
    schema_refused: { status: 400, body: body('invalid_request_error', null, "'response_format.type' must be 'text'") },
  };
  return answers[kind];
}
