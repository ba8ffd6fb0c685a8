import { z } from 'zod';
import { AnyJson } from '#core/json';
import { AppError } from '#core/errors';
import type { Message, Part } from '#llm/contract';
import { alternating, type Answered, type End, frame, type FrameWriter, type Head, type ToolCall, type Wire } from './wire.ts';

const GooglePart = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  inlineData: z.looseObject({ mimeType: z.string(), data: z.string() }).optional(),
  functionCall: z.looseObject({ id: z.string().optional(), name: z.string(), args: AnyJson.optional() }).optional(),
  functionResponse: z.looseObject({ id: z.string().optional(), name: z.string(), response: AnyJson.optional() }).optional(),
  thoughtSignature: z.string().optional(),
});
const Content = z.looseObject({ role: z.string().optional(), parts: z.array(GooglePart).default([]) });
const Body = z.looseObject({
  contents: z.array(Content).min(1),
  systemInstruction: Content.nullish(),
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z
          .array(
            z.looseObject({
              name: z.string(),
              description: z.string().optional(),
              parameters: z.record(z.string(), z.unknown()).optional(),
              parametersJsonSchema: z.record(z.string(), z.unknown()).optional(),
            }),
          )
          .optional(),
      }),
    )
    .nullish(),
  generationConfig: z
    .looseObject({
      temperature: z.number().optional(),
      maxOutputTokens: z.int().min(1).optional(),
      responseSchema: z.unknown().optional(),
      responseJsonSchema: z.unknown().optional(),
    })
    .nullish(),
});

/** Gemini's generateContent and streamGenerateContent (ai.google.dev/api/generate-content). The path names the model and the way. */
export const google: Wire = {
  id: 'google',

  read(body, { call = '' }) {
    const [, model, way] = /^([^:]+):(generateContent|streamGenerateContent)$/.exec(call) ?? [];
    if (model === undefined)
      throw new AppError('not_found', 'gateway.no_method', `${call} is neither generateContent nor streamGenerateContent of a model`, {
        call,
      });
    const { contents, systemInstruction, tools, generationConfig } = Body.parse(body);
    let made = 0;
    const open: string[] = [];
    const partOf = (part: z.output<typeof GooglePart>): Part[] => {
      const { text, thought, inlineData, functionCall, functionResponse, thoughtSignature } = part;
      if (functionCall) {
        const id = functionCall.id ?? `call-${(made += 1)}`;
        open.push(id);
        const providerData = thoughtSignature === undefined ? {} : { providerData: { thoughtSignature } };
        return [{ type: 'tool_call', id, name: functionCall.name, input: functionCall.args ?? {}, ...providerData }];
      }
      // older clients pair results with calls by their order alone
      if (functionResponse)
        return [
          {
            type: 'tool_result',
            id: functionResponse.id ?? open.shift() ?? '',
            name: functionResponse.name,
            output: JSON.stringify(functionResponse.response ?? null),
          },
        ];
      if (inlineData) return [{ type: 'image', mediaType: inlineData.mimeType, base64: inlineData.data }];
      return text === undefined || text === '' || thought ? [] : [{ type: 'text', text }];
    };
    return {
      model: decodeURIComponent(model),
      system: (systemInstruction?.parts ?? []).map(({ text = '' }) => text).join('\n\n'),
      messages: alternating(
        contents.map(({ role, parts }): Message => ({ role: role === 'model' ? 'assistant' : 'user', parts: parts.flatMap(partOf) })),
      ),
      tools: (tools ?? []).flatMap(({ functionDeclarations = [] }) =>
        functionDeclarations.map(({ name, description = '', parameters, parametersJsonSchema }) => ({
          name,
          description,
          inputSchema: parametersJsonSchema ??
            (lowerTypes(parameters) as Record<string, unknown> | undefined) ?? { type: 'object', properties: {} },
        })),
      ),
      maxOutputTokens: generationConfig?.maxOutputTokens,
      temperature: generationConfig?.temperature,
      stream: way === 'streamGenerateContent',
      schema: generationConfig?.responseJsonSchema ?? lowerTypes(generationConfig?.responseSchema),
    };
  },

  whole: (head, { text, reasoning, toolCalls, end }: Answered) =>
    answer(
      head,
      [...(reasoning ? [{ text: reasoning, thought: true }] : []), ...(text ? [{ text }] : []), ...toolCalls.map(callPart)],
      end,
    ),

  frames: (head): FrameWriter => ({
    open: () => '',
    event: (it) =>
      frame(
        answer(
          head,
          [it.type === 'text' ? { text: it.text } : it.type === 'reasoning' ? { text: it.text, thought: true } : callPart(it)],
          null,
        ),
      ),
    end: (end) => frame(answer(head, [{ text: '' }], end)),
    error: (error, status) => frame(google.error(error, status)),
  }),

  error: ({ message, code }, status) => ({
    error: {
      code: status,
      message,
      status: STATUS[status] ?? 'INTERNAL',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code }],
    },
  }),
};

function callPart({ id, name, input, providerData }: ToolCall): object {
  const signature = (providerData as { thoughtSignature?: string } | undefined)?.thoughtSignature;
  return { functionCall: { id, name, args: input }, ...(signature !== undefined && { thoughtSignature: signature }) };
}

const FINISH: Readonly<Record<string, string>> = { length: 'MAX_TOKENS', content_filter: 'SAFETY' };
const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

function answer({ id, model }: Head, parts: readonly object[], end: End | null): object {
  const usage = end?.receipt.usage;
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, ...(end && { finishReason: FINISH[end.reason] ?? 'STOP' }) }],
    ...(usage && {
      usageMetadata: {
        promptTokenCount: usage.inputTokens,
        cachedContentTokenCount: usage.cachedInputTokens,
        candidatesTokenCount: usage.outputTokens - usage.reasoningTokens,
        thoughtsTokenCount: usage.reasoningTokens,
        totalTokenCount: usage.inputTokens + usage.outputTokens,
      },
    }),
    modelVersion: model,
    responseId: id,
  };
}

/** Google's own schema dialect writes types in capitals (ai.google.dev/api/caching#Schema); JSON Schema does not. */
function lowerTypes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(lowerTypes);
  if (schema === null || typeof schema !== 'object') return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'type' && typeof value === 'string' ? value.toLowerCase() : lowerTypes(value),
    ]),
  );
}
