import { z } from 'zod';
import { ENVELOPE_RULE } from '#content';
import { AppError } from '#core/errors';
import { AnyJson, type Json } from '#core/json';
import { shorten } from '#feeds';
import { skill, type SkillContext } from '../contract.ts';
import { renderPrompt, wrapMaterial } from '../material.ts';

const Config = z.strictObject({
  message: z.string().min(1).optional().describe('What is said; the input when left out'),
  persona: z
    .string()
    .max(5_000)
    .default('a personal assistant: friendly, brief, honest about what you do not know')
    .describe('Who answers'),
  recall: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe('So many remembered pieces of earlier conversations that touch on the message are given along'),
  maxOutputTokens: z.int().min(16).max(64_000).default(1_000).describe('The longest answer, in tokens'),
});

const LONGEST_RECALLED = 1_000;

/** An answer to a message, as a step: it remembers earlier talk and stores nothing. */
export const conversational = skill({
  name: 'conversational',
  title: 'Answer a message',
  description: 'Answers a message as the owner’s assistant, with what is remembered of earlier conversations.',
  config: Config,
  input: AnyJson,
  output: z.string(),
  outcomes: ['on_success'],
  grants: ['llm:call', 'memory:read'],
  external: false,
  timeoutMs: 180_000,
  asTool: false,
  stepFields: ['tier', 'provider', 'model', 'prompt', 'config'],
  prompts: ['message', 'persona'],
  presets: { Brief: { config: { maxOutputTokens: 300 } }, 'Without memory': { config: { recall: 0 } } },
  async run({ config, input, context }) {
    const message = config.message === undefined ? messageIn(input) : await renderPrompt(config.message, context);
    if (message.trim() === '')
      throw new AppError('invalid', 'skill.no_message', 'There is no message to answer: give the step a "message" or an input');
    const isForeign = config.message === undefined && context.labels.includes('untrusted');
    const said = isForeign ? wrapMaterial(message, 'input', context) : message;
    const remembered = await recall(message, config.recall, context);
    const history = remembered && `From earlier conversations, oldest first:\n${wrapMaterial(remembered, 'memory', context)}`;
    const prompt = context.prompt?.trim()
      ? await renderPrompt(context.prompt, context, { message: said, history })
      : [history, said].filter(Boolean).join('\n\n');
    const owner = context.setting<string>('owner.name');
    const system = [
      `You are ${await renderPrompt(config.persona, context)}.`,
      ...(owner ? [`You speak with ${owner}.`] : []),
      `Answer in the language of the message, else in "${context.setting<string>('owner.language')}".`,
      ENVELOPE_RULE,
    ].join('\n');
    const { text } = await context.llm.complete({ system, prompt, maxOutputTokens: config.maxOutputTokens, signal: context.signal });
    return { outcome: 'on_success', output: text.trim() };
  },
});

async function recall(message: string, limit: number, { memory }: SkillContext): Promise<string> {
  if (limit === 0) return '';
  const found = await memory.search(shorten(message, 500), { limit, kinds: ['conversation'] });
  return found
    .toSorted((a, b) => a.at - b.at)
    .map(({ text }) => shorten(text, LONGEST_RECALLED))
    .join('\n');
}

function messageIn(input: Json): string {
  if (typeof input === 'string') return input;
  const { message, text } = (input ?? {}) as { message?: Json; text?: Json };
  const said = message ?? text;
  return typeof said === 'string' ? said : '';
}
