import { z } from 'zod';
import type { Message } from './contract.ts';

/** The JSON of an answer: strict, but for a code fence around it and commas before a closing bracket. Undefined when it is none. */
export function readJsonAnswer(text: string): unknown {
  const bare = withoutFence(text.trim());
  return tryParse(bare) ?? tryParse(withoutTrailingCommas(bare));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function withoutFence(text: string): string {
  if (!text.startsWith('```') || !text.endsWith('```')) return text;
  const firstLineEnd = text.indexOf('\n');
  return firstLineEnd === -1 ? text : text.slice(firstLineEnd + 1, -3).trim();
}

function withoutTrailingCommas(text: string): string {
  let out = '';
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (inString) {
      out += char;
      if (char === '\\') out += text[(at += 1)] ?? '';
      else if (char === '"') inString = false;
      continue;
    }
    if (char === ',' && closesNext(text, at + 1)) continue;
    inString = char === '"';
    out += char;
  }
  return out;
}

function closesNext(text: string, from: number): boolean {
  const next = text.slice(from).trimStart()[0];
  return next === '}' || next === ']';
}

/** JSON Schema of what the schema takes in, as providers want it. */
export function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return jsonSchema;
}

const MOST_ISSUES = 10;

/** Reads an answer with the schema: its value, or what is wrong in words the model can act on. */
export async function readObject<S extends z.ZodType>(text: string, schema: S): Promise<{ value: z.output<S> } | { problem: string }> {
  const json = readJsonAnswer(text);
  if (json === undefined) return { problem: 'It is not valid JSON.' };
  const result = await schema.safeParseAsync(json);
  if (result.success) return { value: result.data };
  const issues = result.error.issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => `- ${path.map(String).join('.') || 'the whole'}: ${message}`);
  return { problem: issues.join('\n') };
}

/** What is said to a model whose answer could not be used. */
export function repairMessages(answer: string, problem: string): Message[] {
  const ask = `That answer cannot be used:\n${problem}\nAnswer again with the corrected JSON and nothing else.`;
  return [
    { role: 'assistant', parts: [{ type: 'text', text: answer || '(empty)' }] },
    { role: 'user', parts: [{ type: 'text', text: ask }] },
  ];
}
