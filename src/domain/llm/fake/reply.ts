import type { Json } from '#core/json';
import type { FakeRequest, Reply } from '../fake-llm.ts';
import type { Loose } from './wire.ts';

/**
 * What the fake says when a test did not: a sample of the schema when JSON is wanted; a tool call when the prompt says
 * `CALL: name {"json": …}`; after a tool's result, that result; else a greeting that repeats the prompt's end.
 */
export function defaultReply(request: Pick<FakeRequest, 'schema' | 'forced' | 'toolResults' | 'prompt' | 'tools'>): Reply {
  if (request.schema) return { text: JSON.stringify(sampleOf(request.schema as Loose)) };
  if (request.forced) return { toolCalls: [{ name: request.forced.name, input: sampleOf(request.forced.schema as Loose) as Json }] };
  if (request.toolResults.length > 0) return { text: `The tool said: ${request.toolResults.join('; ')}` };
  const call = /CALL:\s*(\S+)\s+(\{.*\})/s.exec(request.prompt);
  if (call && request.tools.includes(call[1] ?? '')) return { toolCalls: [{ name: call[1] ?? '', input: JSON.parse(call[2] ?? '{}') }] };
  return { text: `Hello from the fake model. You said: ${request.prompt.slice(-200)}` };
}

/** The smallest value that satisfies the common part of JSON Schema. */
function sampleOf(schema: Loose): unknown {
  if ('const' in schema) return schema['const'];
  if (schema['enum']) return schema['enum'][0];
  const one = schema['anyOf'] ?? schema['oneOf'];
  if (one) return sampleOf(one[0]);
  switch ([schema['type']].flat()[0]) {
    case 'object':
      return Object.fromEntries(Object.entries<Loose>(schema['properties'] ?? {}).map(([name, it]) => [name, sampleOf(it)]));
    case 'array':
      return Array.from({ length: Math.max(1, schema['minItems'] ?? 1) }, () => sampleOf(schema['items'] ?? { type: 'string' }));
    case 'integer':
    case 'number':
      return schema['minimum'] ?? (schema['exclusiveMinimum'] === undefined ? 0 : schema['exclusiveMinimum'] + 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 'sample'.padEnd(schema['minLength'] ?? 0, '.');
  }
}
