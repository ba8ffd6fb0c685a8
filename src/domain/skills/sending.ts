import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import type { SkillContext } from './contract.ts';
import { modelText, pageIn } from './material.ts';
import { itemsIn, listItems } from './news/items.ts';

/** What every step that sends to the owner may be told about it. */
export const sendOptions = {
  channel: z.string().min(1).optional().describe('Name of the channel to send by; the default one when left out'),
  to: z.string().min(1).optional().describe('A chat or address of that channel; the owner’s own when left out'),
  title: z.string().max(200).optional().describe('A heading before the text'),
  format: z
    .enum(['markdown', 'plain', 'code'])
    .default('markdown')
    .describe('markdown: formatted as each platform can; plain: every character as it is; code: as a block of code'),
};

const SendOptions = z.strictObject(sendOptions);
type SendOptions = z.infer<typeof SendOptions>;

/** Sends one message and is content only with a receipt; a dry run writes down the intent. Throws `skill.nothing_to_send`, `notify.no_channel` and what delivery throws. */
export async function send(content: Json, { channel, to, title, format }: SendOptions, context: SkillContext): Promise<void> {
  const body = messageText(content).trim();
  if (body === '')
    throw new AppError(
      'invalid',
      'skill.nothing_to_send',
      'There is no text to send: the input is empty. Route on_empty past this step, or give it a "text"',
    );
  const heading = title ? `**${escapeInline(title)}**\n\n` : '';
  const { delivered } = await context
    .deliver({ text: heading + written(body, format), ...(channel && { channel }), ...(to && { to }), name: 'message' })
    .catch(nobodyThere);
  if (delivered.length === 0 && !context.dryRun)
    throw new AppError(
      'invalid',
      'notify.no_channel',
      channel
        ? `There is no channel "${channel}" that could take the message`
        : 'No channel is configured: connect one, or set "optional" on the step',
    );
}

/** Nobody to send to is for the step to judge; every other failure is one. */
function nobodyThere(error: unknown): { delivered: [] } {
  if (error instanceof AppError && (error.code === 'channel.no_recipient' || error.code === 'channel.not_found')) return { delivered: [] };
  throw error;
}

/** What a person reads of a step's input. */
function messageText(content: Json): string {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  const items = itemsIn(content);
  if (items) return listItems(items);
  return pageIn(content) ?? `\`\`\`json\n${modelText(content)}\n\`\`\``;
}

function written(text: string, format: SendOptions['format']): string {
  if (format === 'markdown') return text;
  if (format === 'plain') return text.split('\n').map(escapeInline).join('\n');
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}\n${text}\n${fence}`;
}

const escapeInline = (line: string): string =>
  line
    .replaceAll(/[\\`*_[\]<>#|~]/g, '\\$&')
    .replace(/^(\s*)([-+>]|\d+[.)])(?=\s)/, (_all, space: string, mark: string) => space + mark.slice(0, -1) + '\\' + mark.slice(-1));
