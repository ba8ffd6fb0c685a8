import type { Message, ToolSpec } from './contract.ts';

/** No vendor counts more for one picture of ordinary size. */
const TOKENS_PER_IMAGE = 2_000;

/** English runs at 4.5 characters to a token, code and JSON at 3.5; scripts beyond ASCII need up to one token a character. */
export function estimateTokens(text: string): number {
  const beyondAscii = Buffer.byteLength(text) - text.length;
  return Math.ceil(text.length / 3.5 + beyondAscii / 2);
}

export interface Prompt {
  readonly system?: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[];
  readonly schema?: { readonly jsonSchema: Readonly<Record<string, unknown>> };
}

/** Input tokens of a whole call, tools and schema included. */
export function estimateInput({ system = '', messages, tools = [], schema }: Prompt): number {
  let tokens = estimateTokens(system);
  for (const { parts } of messages) {
    tokens += 4;
    for (const part of parts) {
      if (part.type === 'text') tokens += estimateTokens(part.text);
      else if (part.type === 'image') tokens += TOKENS_PER_IMAGE;
      else if (part.type === 'tool_result') tokens += estimateTokens(part.output);
      else tokens += estimateTokens(JSON.stringify([part.input, part.providerData ?? null]));
    }
  }
  for (const tool of tools) tokens += estimateTokens(JSON.stringify(tool));
  if (schema) tokens += estimateTokens(JSON.stringify(schema.jsonSchema));
  return tokens;
}

/** For reservations: what an estimate may be off by. */
export const SAFETY = 1.2;
