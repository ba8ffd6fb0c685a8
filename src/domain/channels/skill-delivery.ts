import type { SkillContext } from '#skills/contract';
import type { Receipt } from './contract.ts';
import type { Delivery } from './delivery.ts';

type SkillMessage = Parameters<SkillContext['deliver']>[0];

/** `deliver` of a skill's context: each message is an effect of the run, so that it is sent once and shown in the run. */
export function skillDelivery(delivery: Delivery) {
  return async (
    { text, channel, to, name = 'message' }: SkillMessage,
    { effect }: Pick<SkillContext, 'effect'>,
  ): ReturnType<SkillContext['deliver']> => {
    const receipts = await effect<Receipt[]>({
      name,
      kind: 'channel.send',
      target: [channel ?? 'the default channel', to].filter((each) => each !== undefined).join(':'),
      class: 'irreversible',
      intent: { text, ...(channel !== undefined && { channel }), ...(to !== undefined && { to }) },
      idempotent: false,
      verify: (key) => delivery.verify(key),
      perform: (key, signal) => delivery.deliver({ key, text, channel, to }, signal),
    });
    // an effect that the owner settled by hand has a receipt of another shape
    return { delivered: Array.isArray(receipts) ? receipts.map((each) => ({ channel: each.channel, messageIds: each.messageIds })) : [] };
  };
}
