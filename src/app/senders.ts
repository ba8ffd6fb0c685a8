import type { Channels } from '#channels';
import type { Senders } from '#owner';

/** The senders that were paired, on whatever channel, as devices of the owner. */
export function pairedSenders({ directory, pairing }: Channels): Senders {
  return {
    async list() {
      const channels = await directory.list();
      const senders = await Promise.all(
        channels.map(async ({ id, name }) => (await pairing.list(id)).map((sender) => ({ ...sender, channel: id, where: name }))),
      );
      return senders.flat().filter(({ status }) => status === 'paired');
    },
    async unpair(channel, sender, actor) {
      await pairing.set((await directory.row(channel)).id, sender, 'stranger', actor);
    },
  };
}
