import { join } from 'node:path';
import type { Config } from '#core/config';
import { openSqlite } from '#core/db/sqlite';
import type { Store } from '#core/db/store';

const LARGEST_CHECKED_BYTES = 32 * 2 ** 20;

/** PostgreSQL where the configuration names one, else the file in the home. Throws `store.corrupt` and the like. */
export async function openStore({ databaseUrl, home }: Config): Promise<Store> {
  if (databaseUrl) return (await import('#core/db/postgres')).openPostgres(databaseUrl.use((url) => url));
  const store = openSqlite(join(home, 'castellan.db'));
  // a larger file takes seconds to read through: "castellan doctor" does
  if ((await store.facts()).sizeBytes <= LARGEST_CHECKED_BYTES) await store.checkIntegrity();
  return store;
}
