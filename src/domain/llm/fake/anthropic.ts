import { frame, textOf } from './wire.ts';
import type { ErrorContext, FakeAnswer, FakeError, FakeWire, Loose, Turn } from './wire.ts';

/** Anthropic Messages: platform.claude.com/docs/en/api/messages and /errors. */
export const anthropicWire: FakeWire = {
  vendor: 'anthropic',
  path: /\/v1\/messages$/,

  understand(body) {
    const messages: Loose[] = body['messages'] ?? [];
    const since = messages.slice(messages.findLastIndex((it) => it['role'] === 'assistant') + 1);
    const blocks = since.flatMap((it): Loose[] => (Array.isArray(it['content']) ? it['content'] : [{ type: 'text', text: it['content'] }]));
    const tools: Loose[] = body['tools'] ?? [];
    const forced = /^(tool|any)$/.test(body['tool_choice']?.type)
      ? tools.find((it) => it['name'] === (body['tool_choice'].name ?? tools[0]?.['name']))
      : undefined;
    return {
      model: body['model'],
      stream: body['stream'] === true,
      system: textOf(body['system']),
      prompt: textOf(blocks.filter((it) => it['type'] === 'text')),
      toolResults: blocks.filter((it) => it['type'] === 'tool_result').map((it) => textOf(it['content'])),
      tools: tools.map((it) => it['name']),
      schema: body['output_config']?.format?.schema ?? body['output_format']?.schema,
      ...(forced && { forced: { name: forced['name'], schema: forced['input_schema'] } }),
    };
  },

  whole: (turn) => ({ ...message(turn), content: blocksOf(turn), stop_reason: stopReason(turn), usage: usageOf(turn) }),

  frames(turn) {
    const head = [
      event('message_start', {
        message: { ...message(turn), content: [], stop_reason: null, usage: { ...usageOf(turn), output_tokens: 1 } },
      }),
    ];
    const tail: string[] = [];
    let index = 0;
    if (turn.reasoning) {
      head.push(
        event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }),
        event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: turn.reasoning } }),
        event('content_block_delta', { index, delta: { type: 'signature_delta', signature: 'signed' } }),
        event('content_block_stop', { index }),
      );
      index += 1;
    }
    const textIndex = index;
    if (turn.pieces.length > 0) {
      head.push(event('content_block_start', { index, content_block: { type: 'text', text: '' } }));
      tail.push(event('content_block_stop', { index }));
      index += 1;
    }
    for (const { id, name, input } of turn.toolCalls) {
      tail.push(
        event('content_block_start', { index, content_block: { type: 'tool_use', id, name, input: {} } }),
        event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) } }),
        event('content_block_stop', { index }),
      );
      index += 1;
    }
    tail.push(
      event('message_delta', {
        delta: { stop_reason: stopReason(turn), stop_sequence: null },
        usage: { output_tokens: turn.usage.output, output_tokens_details: { thinking_tokens: turn.usage.reasoning } },
      }),
    );
    tail.push(event('message_stop', {}));
    return {
      head,
      pieces: turn.pieces.map((text) => event('content_block_delta', { index: textIndex, delta: { type: 'text_delta', text } })),
      tail,
    };
  },

  error: (kind, about) => errors(about)[kind],
  errorFrame: (kind, about) => frame(errors(about)[kind].body, 'error'),
};

function event(type: string, data: object): string {
  return frame({ type, ...data }, type);
}

function message({ id, model }: Turn): object {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null };
}

function blocksOf(turn: Turn): object[] {
  return [
    ...(turn.reasoning ? [{ type: 'thinking', thinking: turn.reasoning, signature: 'signed' }] : []),
    ...(turn.pieces.length > 0 ? [{ type: 'text', text: turn.pieces.join('') }] : []),
    ...turn.toolCalls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
  ];
}

function stopReason({ finish }: Turn): string {
  return { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use', content_filter: 'refusal' }[finish];
}

/** Anthropic counts the cached part beside `input_tokens`, not in it. */
function usageOf({ usage }: Turn): object {
  return {
    input_tokens: usage.input - usage.cached,
    cache_read_input_tokens: usage.cached,
    cache_creation_input_tokens: 0,
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: usage.reasoning },
  };
}

function errors({ model, key, retryAfterSeconds }: ErrorContext): Record<FakeError, FakeAnswer> {
  const body = (type: string, text: string): object => ({ type: 'error', error: { type, message: text }, request_id: 'req_fake' });
  return {
    rate_limited: {
      status: 429,
      headers: { 'retry-after': String(retryAfterSeconds) },
      body: body('rate_limit_error', 'This request would exceed your rate limit'),
    },
    quota: { status: 400, body: body('invalid_request_error', 'Your credit balance is too low to access the Anthropic API') },
    auth: { status: 401, body: body('authentication_error', `invalid x-api-key: ${key}`) },
    overloaded: { status: 529, body: body('overloaded_error', 'Overloaded') },
    server: { status: 500, body: body('api_error', 'Internal server error') },
    model_missing: { status: 404, body: body('not_found_error', `model: ${model}`) },
    bad_request: { status: 400, body: body('invalid_request_error', 'messages: at least one message is required') },
    schema_refused: { status: 400, body: body('invalid_request_error', 'output_config.format.schema: unsupported') },
  };
}
