import type { Command } from 'commander';
import { AppError } from '#core/errors';
import {
  addChannel,
  changeChannel,
  invite,
  listChannels,
  listSenders,
  pairAnywhere,
  pairSender,
  removeChannel,
  setSender,
  testChannel,
  type Channel,
} from '#channels/contract';
import { jsonOrText, pairs } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { ago, table } from '../words.ts';

interface AddOptions {
  readonly secret?: Record<string, string>;
  readonly set?: Record<string, string>;
  readonly off?: boolean;
}

/** The platforms it talks through, and who may talk to it there. */
export function channelCommands(program: Command, cli: () => Cli): void {
  const group = program.command('channels').description('the platforms it talks through');
  group
    .command('list')
    .description('channels with their health')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listChannels, {});
      io.print(items, () => table(['NAME', 'KIND', 'ACCOUNT', 'STATE', 'PAIRED', 'LAST HEARD', ''], items.map(rowOf)));
    });

  group
    .command('add <kind> [name]')
    .description('connect a platform: castellan channels add telegram --secret token=@secret:telegram')
    .option('--secret <name=reference>', 'a secret of the vault it needs; may be given several times', pairs)
    .option('--set <name=value>', 'a field of its configuration; may be given several times', pairs)
    .option('--off', 'do not connect it yet')
    .action(async (kind: string, name: string | undefined, { secret = {}, set = {}, off }: AddOptions) => {
      const io = cli();
      const config = Object.fromEntries(Object.entries(set).map(([field, value]) => [field, jsonOrText(value)]));
      const it = await (await io.client()).call(addChannel, { kind, name: name ?? kind, config, secrets: secret, enabled: !off });
      io.print(it, () => `Added "${it.name}". Pair yourself with: castellan channels pair --channel ${it.name}`);
    });

  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    group
      .command(`${name} <channel>`)
      .description(enabled ? 'connect a channel' : 'disconnect a channel; nothing of it is forgotten')
      .action(async (id: string) => {
        const io = cli();
        const it = await (await io.client()).call(changeChannel, { id, enabled });
        io.print(it, () => `"${it.name}" is ${enabled ? 'on' : 'off'}.`);
      });
  }

  group
    .command('default <channel>')
    .description('messages to you go here from now on')
    .action(async (id: string) => {
      const io = cli();
      const it = await (await io.client()).call(changeChannel, { id, isDefault: true });
      io.print(it, () => `Messages to you go to "${it.name}" now.`);
    });

  group
    .command('remove <channel>')
    .description('disconnect a channel and forget it with its senders and messages')
    .action(async (id: string) => {
      const io = cli();
      await (await io.client()).call(removeChannel, { id });
      io.print({ removed: id }, () => `Removed "${id}".`);
    });

  group
    .command('test <channel>')
    .description('send a test message to those who are paired, or to one chat')
    .option('--to <chat>', "the platform's own id of a chat")
    .action(async (id: string, { to }: { to?: string }) => {
      const io = cli();
      const answer = await (await io.client()).call(testChannel, { id, ...(to !== undefined && { to }) });
      io.print(answer, () =>
        answer.receipts
          .map(({ chat, status, messageIds }) =>
            status === 'sent'
              ? `${chat}: sent as ${messageIds.join(', ')}, in ${answer.tookMs} ms`
              : `${chat}: put off, the platform asks to wait`,
          )
          .join('\n'),
      );
    });

  group
    .command('pair [code]')
    .description('let in the sender who was shown this code; without one, make a code for a channel')
    .option('--channel <channel>', 'the channel the code is of')
    .action(async (code: string | undefined, { channel: id }: { channel?: string }) => {
      const io = cli();
      const client = await io.client();
      if (code === undefined) {
        if (id === undefined)
          throw new AppError(
            'invalid',
            'cli.no_value',
            'Give the code that you were shown, or the channel to make one for: --channel NAME',
          );
        const made = await client.call(invite, { id });
        return io.print(
          made,
          () => `Send this to the channel, until ${made.expiresAt}: whoever does it first is paired.\n  ${made.message}`,
        );
      }
      const paired = id === undefined ? await client.call(pairAnywhere, { code }) : await client.call(pairSender, { id, code });
      io.print(paired, () => `${paired.sender.name} may use "${paired.channel}" now.`);
    });

  group
    .command('senders <channel>')
    .description('who has written to a channel')
    .action(async (id: string) => {
      const io = cli();
      const { items } = await (await io.client()).call(listSenders, { id });
      io.print(items, () =>
        table(
          ['ID', 'NAME', 'STATUS', 'LAST SEEN'],
          items.map((it) => [it.id, it.name, it.status, ago(it.lastSeenAt, Date.now())]),
        ),
      );
    });

  for (const [name, status, does] of [
    ['block', 'blocked', 'hear a sender no more'],
    ['unblock', 'stranger', 'make a sender a stranger again, who may ask for a code'],
  ] as const) {
    group
      .command(`${name} <channel> <sender>`)
      .description(does)
      .action(async (id: string, sender: string) => {
        const io = cli();
        const it = await (await io.client()).call(setSender, { id, sender, status });
        io.print(it, () => `${it.name} is ${it.status}.`);
      });
  }
}

function rowOf(it: Channel): (string | number | null)[] {
  const { state, lastHeardAt, lastError } = it.health;
  return [
    it.name,
    it.kind,
    it.account,
    state,
    it.paired,
    ago(lastHeardAt, Date.now()),
    [it.isDefault && 'default', (state === 'failing' || state === 'broken') && lastError?.message].filter(Boolean).join('; '),
  ];
}
