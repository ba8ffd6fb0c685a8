import type { Command } from 'commander';
import { AppError } from '#core/errors';
import {
  beginTotp,
  confirmTotp,
  getFactors,
  listDevices,
  listSessions,
  newRecoveryCodes,
  removePasskey,
  removeTotp,
  renamePasskey,
  revokeDevice,
  revokeOtherSessions,
  revokeSession,
} from '#owner/contract';
import { readLine } from '../ask-factor.ts';
import type { Cli } from '../context.ts';
import { ago, plain, table } from '../words.ts';

/** Second factors, sessions and devices. */
export function securityCommands(program: Command, cli: () => Cli): void {
  factorCommands(program.command('factor').description('the second factors: authenticator app, passkeys, recovery codes'), cli);
  sessionCommands(program.command('sessions').description('browsers that are logged in'), cli);
  deviceCommands(program.command('devices').description('all that can act for you: browsers, paired chats, tokens'), cli);
}

function factorCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('what is enrolled')
    .action(async () => {
      const io = cli();
      const it = await (await io.client()).call(getFactors, {});
      const now = Date.now();
      io.print(it, () =>
        it.totp === null && it.passkeys.length === 0
          ? 'No second factor: "castellan factor app" sets up an authenticator app; passkeys are made in the browser.'
          : [
              table(
                ['FACTOR', 'NAME', 'WORKS AT', 'LAST USED', 'ID'],
                [
                  ...(it.totp ? [['app', 'authenticator app', 'everywhere', ago(it.totp.lastUsedAt, now), '']] : []),
                  ...it.passkeys.map((key) => ['passkey', key.name, key.address, ago(key.lastUsedAt, now), key.id]),
                ],
              ),
              `Recovery codes left: ${it.recoveryCodes?.left ?? 0}.`,
            ].join('\n'),
      );
    });
  group
    .command('app')
    .description('set up an authenticator app; asks for a code that it shows')
    .option('--confirm <code>', 'the code, for an enrolment begun before')
    .action(async ({ confirm }: { confirm?: string }) => {
      const io = cli();
      const client = await io.client();
      if (confirm === undefined) {
        const setup = await client.call(beginTotp, {});
        if (io.json || !process.stdin.isTTY) {
          io.print(setup, () => `${setup.text}\n${setup.uri}\nNow: castellan factor app --confirm CODE`);
          return;
        }
        io.say(`${setup.text}\nScan it, or type this key into the app: ${setup.secret}`);
      }
      const code = confirm ?? (await readLine('The six digits it shows now: '));
      if (code === null) throw new AppError('invalid', 'cli.no_value', 'No code was given, so nothing has changed');
      const done = await client.call(confirmTotp, { code });
      io.print(done, () => ['The authenticator app is in force.', ...recoveryWords(done.recoveryCodes)].join('\n'));
    });
  group
    .command('remove <what>')
    .description('remove "app", or a passkey by its id')
    .action(async (what: string) => {
      const io = cli();
      const client = await io.client();
      await (what === 'app' ? client.call(removeTotp, {}) : client.call(removePasskey, { id: what }));
      io.print({ removed: what }, () => 'It guards nothing any more.');
    });
  group
    .command('rename <id> <name>')
    .description('give a passkey another name')
    .action(async (id: string, name: string) => {
      const io = cli();
      const it = await (await io.client()).call(renamePasskey, { id, name });
      io.print(it, () => `It is called "${plain(it.name)}" now.`);
    });
  group
    .command('recovery-codes')
    .description('make ten new recovery codes in place of all before; shown this once')
    .action(async () => {
      const io = cli();
      const made = await (await io.client()).call(newRecoveryCodes, {});
      io.print(made, () => recoveryWords(made.recoveryCodes).join('\n'));
    });
  group
    .command('reset')
    .description('remove all second factors with no agent running, when all are lost; the password stays')
    .action(async () => {
      const io = cli();
      await (await import('../ways-in.ts')).removeFactors(io);
      io.print(
        { reset: true },
        () => 'All second factors are removed: the password alone lets you in. Start the agent and set up new ones.',
      );
    });
}

function recoveryWords(codes: readonly string[] | null): string[] {
  return codes === null ? [] : ['Recovery codes, each good once; they are not shown again:', ...codes.map((code) => `  ${code}`)];
}

function sessionCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('where, since when, until when')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listSessions, {});
      const now = Date.now();
      io.print(items, () =>
        table(
          ['ID', 'BROWSER', 'ADDRESS', 'CAME BY', 'LOGGED IN', 'SEEN', 'ENDS'],
          items.map((it) => [
            it.id,
            it.device,
            it.address,
            it.factor === null ? it.via : `${it.via}, ${it.factor}`,
            ago(it.createdAt, now),
            ago(it.lastSeenAt, now),
            ago(it.expiresAt, now),
          ]),
        ),
      );
    });
  group
    .command('end [id]')
    .description('log a browser out')
    .option('--all', 'all of them')
    .action(async (id: string | undefined, { all = false }: { all?: boolean }) => {
      const io = cli();
      if ((id === undefined) !== all) throw new AppError('invalid', 'cli.usage', 'Give the id of a session, or --all');
      const client = await io.client();
      const ended = id === undefined ? (await client.call(revokeOtherSessions, {})).ended : 1;
      if (id !== undefined) await client.call(revokeSession, { id });
      io.print({ ended }, () => `Logged out: ${ended}.`);
    });
}

function deviceCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('last seen first')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listDevices, {});
      const now = Date.now();
      io.print(items, () =>
        table(
          ['ID', 'NAME', 'WHAT', 'SINCE', 'SEEN', 'ENDS'],
          items.map((it) => [it.id, it.name, it.detail, ago(it.createdAt, now), ago(it.lastSeenAt, now), ago(it.expiresAt, now)]),
        ),
      );
    });
  group
    .command('revoke <id>')
    .description('log a browser out, unpair a chat, or end a token')
    .action(async (id: string) => {
      const io = cli();
      await (await io.client()).call(revokeDevice, { id });
      io.print({ revoked: id }, () => 'It can act for you no more.');
    });
}
