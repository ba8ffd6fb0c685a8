import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import type { Delivery } from '#channels';
import type { Receipt } from '#channels/contract';
import type { SkillRunnerDeps } from '#skills';

/** A skill's message as an effect: sent once however often the step is run, with the platform's receipts. */
export function skillDelivery(delivery: Delivery): SkillRunnerDeps['deliver'] {
  return async ({ text, channel, to, name = 'message' }, { effect }) => {
    try {
      const receipts = await effect({
        name,
        kind: 'channel.send',
        target: [channel ?? 'default channel', to].filter(Boolean).join(' → '),
        class: 'irreversible',
        intent: { text, ...(channel && { channel }), ...(to && { to }) },
        idempotent: false,
        verify: async (key) => asJson(await delivery.verify(key)),
        perform: async (key, signal) => asJson(await delivery.deliver({ key, text, channel, to }, signal)),
      });
      const sent = (receipts ?? []) as unknown as Receipt[];
      return { delivered: sent.map((it) => ({ channel: it.channel, messageIds: it.messageIds })) };
    } catch (error) {
      // nobody to send to is for the step to judge: it may be content without
      if (error instanceof AppError && (error.code === 'channel.no_recipient' || error.code === 'channel.not_found')) return { delivered: [] };
      throw error;
    }
  };
}

function asJson<T>(value: T): T extends string ? T : Json {
  return value as never;
}
