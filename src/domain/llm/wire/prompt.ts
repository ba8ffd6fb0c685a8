import type { AnthropicProvider } from '@ai-sdk/anthropic';
import type { Json } from '#core/json';
import type { Message, ModelCall, Part } from '../contract.ts';

/** The vendor libraries' common model interface (AI SDK specification version 4). */
export type LanguageModel = ReturnType<AnthropicProvider['languageModel']>;
export type CallOptions = Parameters<LanguageModel['doStream']>[0];
type Prompt = CallOptions['prompt'];
type Content<R extends Prompt[number]['role']> = Extract<Prompt[number], { role: R }>['content'] extends readonly (infer C)[] ? C : never;
export type ProviderMetadata = NonNullable<NonNullable<CallOptions['providerOptions']>>;

/** What a tool call must carry back: the vendor's mark on it and the signed reasoning before it. */
export interface ProviderData {
  readonly call?: ProviderMetadata;
  readonly reasoning?: readonly { readonly text: string; readonly metadata: ProviderMetadata }[];
}

/** The conversation as the vendor libraries want it: tool results leave the user's message for one of their own, before it. */
export function toPrompt(call: Pick<ModelCall, 'system' | 'messages'>): Prompt {
  const prompt: Prompt = call.system ? [{ role: 'system', content: call.system }] : [];
  for (const message of call.messages) {
    if (message.role === 'assistant') {
      prompt.push({ role: 'assistant', content: message.parts.flatMap(toAssistantContent) });
      continue;
    }
    const results = message.parts.filter((part) => part.type === 'tool_result').map(toToolContent);
    if (results.length > 0) prompt.push({ role: 'tool', content: results });
    const said = userContent(message);
    if (said.length > 0) prompt.push({ role: 'user', content: said });
  }
  return prompt;
}

function userContent(message: Message): Content<'user'>[] {
  return message.parts.flatMap((part): Content<'user'>[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }];
    if (part.type === 'image') return [{ type: 'file', mediaType: part.mediaType, data: { type: 'data', data: part.base64 } }];
    return [];
  });
}

function toAssistantContent(part: Part): Content<'assistant'>[] {
  if (part.type === 'text') return part.text ? [{ type: 'text', text: part.text }] : [];
  if (part.type !== 'tool_call') return [];
  const data = (part.providerData ?? {}) as ProviderData;
  return [
    ...(data.reasoning ?? []).map(({ text, metadata }) => ({ type: 'reasoning' as const, text, providerOptions: metadata })),
    { type: 'tool-call', toolCallId: part.id, toolName: part.name, input: part.input, ...(data.call && { providerOptions: data.call }) },
  ];
}

function toToolContent(part: Extract<Part, { type: 'tool_result' }>): Content<'tool'> {
  return {
    type: 'tool-result',
    toolCallId: part.id,
    toolName: part.name,
    output: { type: part.isError ? 'error-text' : 'text', value: part.output },
  };
}

/** The JSON of a tool call; the text itself when it is not JSON. No text at all means no arguments. */
export function toToolInput(text: string): Json {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
