import { z } from 'zod';
import { ENVELOPE_RULE } from '#content';
import { AppError } from '#core/errors';
import { AnyJson, type Json } from '#core/json';
import type { LlmRequest, OfflineTask } from '#llm/contract';
import { skill, type SkillContext } from '../contract.ts';
import { cutText, modelText, renderPrompt, wrapMaterial } from '../material.ts';
import { itemsIn } from '../news/items.ts';
import { presets } from './presets.ts';

const JsonSchema = z.record(z.string(), AnyJson).refine(isJsonSchema, 'not a JSON Schema');

const Config = z
  .strictObject({
    system: z.string().max(20_000).optional().describe('Who the model is to be; the rule about foreign text is added to it'),
    format: z.enum(['text', 'json']).default('text').describe('json: the answer is an object of the schema'),
    schema: JsonSchema.optional().describe('JSON Schema of the answer, for the format json'),
    maxOutputTokens: z.int().min(16).max(64_000).default(2_000).describe('The longest answer, in tokens'),
    maxInputChars: z.int().min(1_000).max(2_000_000).default(200_000).describe('The input is cut after so many characters, and says so'),
    withoutModel: z
      .enum(['extract', 'fail'])
      .default('extract')
      .describe('When no model can be reached: extract the main sentences, or fail'),
  })
  .refine(({ format, schema }) => (format === 'json') === (schema !== undefined), {
    path: ['schema'],
    message: 'the format json and a schema go together',
  });
type Config = z.infer<typeof Config>;

const SYSTEM = 'You do one task for the owner of this program and answer with its result alone: no preamble, no offer of more.';

/** A prompt over whatever the steps before it made. */
export const llmTransform = skill({
  name: 'llm_transform',
  title: 'Transform with a model',
  description: 'Asks a model to do what the prompt says with the input: summarise, brief, review, translate, classify, extract.',
  config: Config,
  input: AnyJson,
  output: AnyJson,
  outcomes: ['on_success'],
  grants: ['llm:call'],
  external: false,
  timeoutMs: 300_000,
  asTool: false,
  stepFields: ['tier', 'provider', 'model', 'prompt', 'config'],
  prompts: ['system'],
  presets,
  async run({ config, input, context }) {
    const request = { ...(await compose(config, input, context)), signal: context.signal };
    if (config.schema === undefined) {
      const { text } = await context.llm.complete({ ...request, task: offlineTask(input) });
      if (text.trim() === '') throw new AppError('unavailable', 'skill.empty_answer', 'The model answered with nothing');
      return { outcome: 'on_success', output: text.trim() };
    }
    const { value } = await context.llm.object({ ...request, schema: z.fromJSONSchema(config.schema as never), schemaName: 'result' });
    return { outcome: 'on_success', output: value as Json };
  },
});

async function compose(
  { system = SYSTEM, maxOutputTokens, maxInputChars, withoutModel }: Config,
  input: Json,
  context: SkillContext,
): Promise<Omit<LlmRequest, 'signal'>> {
  const template = context.prompt?.trim() ?? '';
  if (template === '') throw new AppError('invalid', 'skill.no_prompt', 'The step has no prompt: say what is to be done with {{ input }}');
  const { text, leftOut } = cutText(modelText(input), maxInputChars);
  if (leftOut > 0) context.note('input.cut', { characters: text.length, leftOut });
  const material = wrapMaterial(text, sourceOf(input), context);
  const language = context.setting<string>('owner.language');
  const today = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeZone: context.timeZone }).format(context.now());
  const own = { material, today, now: new Date(context.now()).toISOString() };
  const filled = await renderPrompt(template.replaceAll(/\{\{-?\s*input\s*-?\}\}/g, '{{ material }}'), context, own);
  return {
    system: `${await renderPrompt(system, context, own)}\n${ENVELOPE_RULE}\nWrite in the language "${language}" unless the task asks for another.`,
    // A prompt that names nothing is about the input.
    prompt: /\{[{%]/.test(template) || text === '' ? filled : `${filled}\n\n${material}`,
    maxOutputTokens,
    ...(withoutModel === 'fail' && { allowOffline: false }),
  };
}

/** Where the input says it is from, else that it is the input. */
function sourceOf(input: Json): string {
  const url = typeof input === 'object' && input !== null && 'url' in input ? input['url'] : undefined;
  return typeof url === 'string' && url !== '' ? url : 'input';
}

function offlineTask(input: Json): OfflineTask {
  const items = itemsIn(input);
  if (!items) return { kind: 'summarize', text: modelText(input) };
  return {
    kind: 'digest',
    items: items.map(({ title, summary, url, feed }) => ({
      title,
      text: summary ?? '',
      ...(url && { url }),
      ...(feed && { source: feed }),
    })),
  };
}

function isJsonSchema(schema: Record<string, Json>): boolean {
  try {
    z.fromJSONSchema(schema as never);
    return true;
  } catch {
    return false;
  }
}
