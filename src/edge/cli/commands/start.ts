import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { createLoginLink, createToken, listTokens, revokeToken, type NewToken } from '#owner/contract';
import { fromNow, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { ago, table } from '../words.ts';

/** Starting, and the ways in: `start`, `login`, `token`. */
export function startCommands(program: Command, cli: () => Cli): void {
  program
    .command('start')
    .description('run the agent in the foreground; Ctrl-C or SIGTERM stops it cleanly')
    .option('--host <address>', "where the owner's side listens (CASTELLAN_HOST, else 127.0.0.1)")
    .option('--port <n>', 'and its port (CASTELLAN_PORT, else 4848)')
    .option('--ingress-port <n>', 'the port of the public side (CASTELLAN_INGRESS_PORT, else 4849)')
    .addHelpText('after', '\nTo reach it from other machines, with TLS: docs/guides/doors.md')
    .action(() => {
      // The entry of the program takes "start" itself, before any of this is loaded.
      throw new AppError('invalid', 'cli.start_first', '"start" must be the first word: castellan start [--home DIR] [--port N]');
    });

  program
    .command('login')
    .description('make a link that logs one browser in, once, within 15 minutes')
    .action(async () => {
      const io = cli();
      const client = await io.clientIfRunning();
      const link = client ? await client.call(createLoginLink, {}) : await (await import('../ways-in.ts')).makeLoginLink(io);
      io.print(link, () => `${link.url}\nIt works once, until ${link.expiresAt}${client ? '.' : ', when the agent has started.'}`);
    });

  const token = program.command('token').description('API tokens');
  token
    .command('create')
    .description('make an API token; it is printed this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--grant <grants...>', 'capabilities such as runs:read or workflows:*; everything when left out')
    .option('--expires <time>', 'after so long: 30d, 12h; never when left out', fromNow)
    .option('--rate <n>', 'at most so many requests a minute; no limit when left out', whole(1, 100_000))
    .action(async (options: { name: string; grant?: string[]; expires?: string; rate?: number }) => {
      const io = cli();
      const wanted: NewToken = {
        name: options.name,
        grants: options.grant ?? ['*'],
        expiresAt: options.expires ?? null,
        ratePerMinute: options.rate ?? null,
      };
      const client = await io.clientIfRunning();
      const made = client ? await client.call(createToken, wanted) : await (await import('../ways-in.ts')).makeToken(io, wanted);
      io.print(made, () => `${made.token}\nIt is shown this once. Send it as  Authorization: Bearer <token>`);
    });
  token
    .command('list')
    .description('names, grants and dates; never a token itself')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listTokens, {});
      const now = Date.now();
      io.print(items, () =>
        table(
          ['ID', 'NAME', 'GRANTS', 'EXPIRES', 'LAST USED'],
          items.map((it) => [
            it.id,
            it.name,
            it.grants.join(' '),
            it.isExpired ? 'expired' : (it.expiresAt ?? 'never'),
            ago(it.lastUsedAt, now),
          ]),
        ),
      );
    });
  token
    .command('revoke <id>')
    .description('end a token at once')
    .action(async (id: string) => {
      const io = cli();
      await (await io.client()).call(revokeToken, { id });
      io.print({ revoked: id }, () => 'It is accepted no more.');
    });
}
