import type { Clock } from '#core/clock';
import { route, type Route } from '#core/endpoint';
import type { NewId } from '#core/ids';
import type { Channels } from './channels.ts';
import {
  addChannel,
  changeChannel,
  getChannel,
  invite,
  listChannels,
  listInbound,
  listSenders,
  pairAnywhere,
  pairSender,
  removeChannel,
  setSender,
  testChannel,
} from './contract.ts';
import { spelled } from './pairing.ts';

export function channelRoutes(channels: Channels, { newId, clock }: { readonly newId: NewId; readonly clock: Clock }): readonly Route[] {
  const { directory, pairing, delivery } = channels;

  async function pair(code: string, actor: string, signal: AbortSignal, name?: string) {
    const only = name === undefined ? undefined : (await directory.row(name)).id;
    const { channel, sender, chat } = await pairing.approve(code, actor, only);
    const welcome = {
      key: `paired:${newId()}`,
      text: 'This chat is yours now. Talk to me, or send /help.',
      channel,
      ...(chat !== null && { to: chat }),
    };
    if (chat !== null) await delivery.deliverPatiently(welcome, signal).catch(() => {}); // they are paired all the same
    return { channel, sender };
  }

  return [
    route(listChannels, async () => ({ items: await directory.list(), next: null })),
    route(getChannel, async ({ id }) => directory.show(await directory.row(id))),
    route(addChannel, async (input, { caller }) => {
      const row = await directory.add(input, caller.id);
      await channels.reconnect(row.id);
      return directory.show(row);
    }),
    route(changeChannel, async ({ id, ...patch }, { caller }) => {
      const row = await directory.change(id, patch, caller.id);
      await channels.reconnect(row.id);
      return directory.show(row);
    }),
    route(removeChannel, async ({ id }, { caller }) => {
      const { id: gone } = await directory.remove(id, caller.id);
      await channels.reconnect(gone);
      return { ok: true as const };
    }),
    route(testChannel, async ({ id, to }, { signal }) => {
      const row = await directory.row(id);
      const text = `**It works.** This is a test message of the channel \`${row.name}\`.`;
      const began = clock.now();
      const receipts = await delivery.deliver({ key: `test:${newId()}`, text, channel: row.id, to }, signal);
      return { receipts, tookMs: clock.now() - began };
    }),
    route(pairSender, ({ id, code }, { caller, signal }) => pair(code, caller.id, signal, id)),
    route(pairAnywhere, ({ code }, { caller, signal }) => pair(code, caller.id, signal)),
    route(invite, async ({ id }, { caller }) => {
      const row = await directory.row(id);
      const { code, expiresAt } = await pairing.invite(row.id, caller.id);
      return { code: spelled(code), expiresAt: new Date(expiresAt).toISOString(), message: `/start ${spelled(code)}` };
    }),
    route(listSenders, async ({ id }) => ({ items: await pairing.list((await directory.row(id)).id), next: null })),
    route(setSender, async ({ id, sender, status }, { caller }) => pairing.set((await directory.row(id)).id, sender, status, caller.id)),
    route(listInbound, async ({ id, ...page }) => channels.received((await directory.row(id)).id, page)),
  ];
}
