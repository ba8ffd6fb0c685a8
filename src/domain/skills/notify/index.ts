import { z } from 'zod';
import { AppError } from '#core/errors';
import { AnyJson } from '#core/json';
import { skill } from '../contract.ts';
import { send, sendOptions } from '../sending.ts';

/** A message to the owner by any channel. Its input goes on unchanged. */
export const notify = skill({
  name: 'notify',
  aliases: ['telegram_notify', 'discord_notify'],
  title: 'Notify',
  description:
    'Sends the input to the owner: text, news items as a list, a page, or anything else as JSON. Done only with the platform’s receipt.',
  config: z.strictObject({
    ...sendOptions,
    text: z.string().min(1).optional().describe('What to send instead of the input'),
    optional: z.boolean().default(false).describe('Go on without an error when no channel is configured'),
  }),
  input: AnyJson,
  output: AnyJson,
  outcomes: ['on_delivered', 'on_skipped'],
  grants: ['channel:send'],
  external: false,
  timeoutMs: 120_000,
  stepFields: ['config'],
  presets: {
    'As it is': { config: {} },
    'If a channel is there': { config: { optional: true } },
    'As code': { config: { format: 'code' } },
  },
  async run({ config: { text, optional, ...options }, input, context }) {
    try {
      await send(text ?? input, options, context);
      return { outcome: 'on_delivered', output: input };
    } catch (error) {
      if (!optional || !(error instanceof AppError) || error.code !== 'notify.no_channel') throw error;
      context.note('notify.skipped', { reason: error.message });
      return { outcome: 'on_skipped', output: input };
    }
  },
});
