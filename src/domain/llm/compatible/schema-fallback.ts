import { ProviderFailure } from '../contract.ts';
import type { ModelCall, ModelEvent } from '../contract.ts';

type Stream = (call: ModelCall) => AsyncIterable<ModelEvent>;

/** Asks for JSON by `response_format`; a server that rejects the field is asked once more by instruction, and so from then on for that model. */
export function createSchemaFallback(stream: Stream): Stream {
  const refusing = new Set<string>();
  return async function* streamWithSchema(call) {
    if (!call.schema) return yield* stream(call);
    if (!refusing.has(call.model)) {
      let begun = false;
      try {
        for await (const event of stream(call)) {
          begun = true;
          yield event;
        }
        return;
      } catch (thrown) {
        if (begun || !refusesSchema(thrown)) throw thrown;
        refusing.add(call.model);
      }
    }
    yield* unfence(stream(asInstruction(call)));
  };
}

function refusesSchema(thrown: unknown): boolean {
  return (
    thrown instanceof ProviderFailure &&
    thrown.reason === 'bad_request' &&
    /response.?format|json.?schema|structured|grammar/i.test(thrown.message)
  );
}

function asInstruction({ schema, ...call }: ModelCall): ModelCall {
  const instruction = `Answer with one JSON value that satisfies this JSON Schema, and nothing else:\n${JSON.stringify(schema?.jsonSchema)}`;
  return { ...call, system: call.system ? `${call.system}\n\n${instruction}` : instruction };
}

/** The JSON out of a Markdown fence or the words around it, which models add when they are only told. Arrives as one piece. */
async function* unfence(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  let text = '';
  for await (const event of events) {
    if (event.type === 'text') {
      text += event.text;
      continue;
    }
    if (event.type === 'end') yield { type: 'text', text: outerJson(text) };
    yield event;
  }
}

function outerJson(text: string): string {
  const from = text.search(/[{[]/);
  const to = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  return from >= 0 && to > from ? text.slice(from, to + 1) : text.trim();
}
