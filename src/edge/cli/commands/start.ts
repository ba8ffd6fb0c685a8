import type { Command } from 'commander';
import { systemClock } from '#core/clock';
import { readConfig } from '#core/config';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { auditMigrations, createAudit } from '#audit';
import { createLoginLinks, createTokens, ownerMigrations } from '#owner';
import { createLoginLink, createToken, listTokens, revokeToken, type NewToken } from '#owner/contract';
import { fromNow } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { withStore } from '../offline.ts';
import { ago, table } from '../words.ts';

/** Starting, and the ways in: `start`, `login`, `token`. */
export function startCommands(program: Command, cli: () => Cli): void {
  program
    .command('start')
    .description('run the agent in the foreground; Ctrl-C or SIGTERM stops it cleanly')
    .option('--host <address>', "where the owner's side listens (CASTELLAN_HOST, else 127.0.0.1)")
    .option('--port <n>', 'and its port (CASTELLAN_PORT, else 4848)')
    .option('--ingress-port <n>', 'the port of the public side (CASTELLAN_INGRESS_PORT, else 4849)')
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
      const link = client ? await client.call(createLoginLink, {}) : await loginOffline(io);
      io.print(link, () => `${link.url}\nIt works once, until ${link.expiresAt}${client ? '.' : ', when the agent has started.'}`);
    });

  const token = program.command('token').description('API tokens');
  token
    .command('create')
    .description('make an API token; it is printed this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--grant <grants...>', 'capabilities such as runs:read or workflows:*; everything when left out')
    .option('--expires <time>', 'after so long: 30d, 12h; never when left out', fromNow)
    .action(async (options: { name: string; grant?: string[]; expires?: string }) => {
      const io = cli();
      const wanted: NewToken = { name: options.name, grants: options.grant ?? ['*'], expiresAt: options.expires ?? null };
      const client = await io.clientIfRunning();
      const made = client ? await client.call(createToken, wanted) : await tokenOffline(io, wanted);
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

const MIGRATIONS = [...auditMigrations, ...ownerMigrations];

/** Whoever may write the home is the owner. */
function tokenOffline(io: Cli, wanted: NewToken) {
  const make = async (store: Parameters<Parameters<typeof withStore>[2]>[0]) => {
    const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
    const tokens = createTokens({ store, clock: systemClock, newId: uuidv7(), audit });
    const { token, info } = await tokens.create(wanted, { id: 'cli', grants: new Set(['*']) });
    return { ...info, token: token.use((text) => text) };
  };
  return withStore(io, MIGRATIONS, make, { create: true });
}

async function loginOffline(io: Cli): Promise<{ url: string; expiresAt: string }> {
  const { host, port, tls } = await readConfig(io.env, { home: io.home });
  const base = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { url, expiresAt } = await withStore(io, MIGRATIONS, (store) => createLoginLinks({ store, clock: systemClock }).create(base), {
    create: true,
  });
  return { url: url.use((text) => text), expiresAt: new Date(expiresAt).toISOString() };
}
