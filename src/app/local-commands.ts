import type { Command } from 'commander';
import { systemClock } from '#core/clock';
import { readConfig } from '#core/config';
import { migrate } from '#core/db/migration';
import { openSqlite } from '#core/db/sqlite';
import { AppError } from '#core/errors';
import { join } from 'node:path';
import { uuidv7 } from '#core/ids';
import { auditMigrations, createAudit } from '#audit';
import { createTokens, ownerMigrations } from '#owner';
import { createToken } from '#owner/contract';
import type { Cli } from '../edge/cli/index.ts';

/** Commands that may work on the home itself, with no agent running. */
export function localCommands(program: Command, cli: () => Cli): void {
  program.command('start').description('run the agent in the foreground').option('--host <address>', 'where the owner\'s side listens').option('--port <n>').option('--ingress-port <n>').action(() => {
    throw new AppError('invalid', 'cli.start_first', '"start" must be the first word: castellan start [--home DIR] [--port N]');
  });

  program
    .command('token')
    .description('API tokens')
    .command('create')
    .description('make an API token; it is printed this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--grant <grants...>', 'capabilities such as runs:read or workflows:*; everything when left out')
    .option('--expires <time>', 'after so long: 30d, 12h; never when left out')
    .action(async (options: { name: string; grant?: string[]; expires?: string }) => {
      const io = cli();
      const wanted = { name: options.name, grants: options.grant ?? ['*'], expiresAt: options.expires === undefined ? null : expiry(options.expires) };
      const client = await io.client().catch(() => null);
      const { token, ...info } = client ? await client.call(createToken, wanted) : await createOffline(io.home, wanted);
      io.print({ token, ...info }, () => `${token}\nIt is shown this once. Send it as  Authorization: Bearer <token>`);
    });
}

async function createOffline(home: string, wanted: { name: string; grants: string[]; expiresAt: string | null }) {
  const { databaseUrl } = await readConfig(process.env, { home });
  const store = databaseUrl ? await (await import('#core/db/postgres')).openPostgres(databaseUrl.use((url) => url)) : openSqlite(join(home, 'castellan.db'));
  try {
    await migrate(store, [...auditMigrations, ...ownerMigrations]);
    const tokens = createTokens({ store, clock: systemClock, newId: uuidv7(), audit: createAudit({ store, clock: systemClock, redact: (text) => text }) });
    const { token, info } = await tokens.create(wanted, { id: 'cli', grants: new Set(['*']) });
    return { ...info, token: token.use((text) => text) };
  } finally {
    await store.close();
  }
}

function expiry(text: string): string {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  if (count === undefined) throw new AppError('invalid', 'cli.bad_duration', `--expires: "${text}" is not a time such as 30d, 12h or 90m`, { expires: text });
  return new Date(Date.now() + Number(count) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'm' | 'h' | 'd']).toISOString();
}
