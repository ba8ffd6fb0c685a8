import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '#core/config';
import type { Migration } from '#core/db/migration';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { prepareHome } from '#core/home';
import type { Cli } from './context.ts';

/** The database of the home in SQLite. */
export function databaseFile(home: string): string {
  return join(home, 'castellan.db');
}

/**
 * Opens the agent's database, with no agent between, for as long as `use` takes. What it needs of the schema is made where it is missing.
 * Throws `cli.no_database` when there is none and `create` was not asked for, and the `config.*` codes.
 */
export async function withStore<T>(
  io: Cli,
  migrations: readonly Migration[],
  use: (store: Store) => Promise<T>,
  { create = false } = {},
): Promise<T> {
  const { databaseUrl } = await readConfig(io.env, { home: io.home });
  if (!databaseUrl && !create && !existsSync(databaseFile(io.home))) {
    throw new AppError('not_found', 'cli.no_database', `There is no database in ${io.home} yet: "castellan start" makes it`, {
      home: io.home,
    });
  }
  if (create) await prepareHome(io.home);
  const store = databaseUrl
    ? await (await import('#core/db/postgres')).openPostgres(databaseUrl.use((url) => url))
    : (await import('#core/db/sqlite')).openSqlite(databaseFile(io.home));
  try {
    const { migrate } = await import('#core/db/migration');
    await migrate(store, migrations);
    return await use(store);
  } finally {
    await store.close();
  }
}
