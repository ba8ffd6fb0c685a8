import { join } from 'node:path';
import { auditMigrations, createAudit } from '#audit';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { migrate } from '#core/db/migration';
import { openSqlite } from '#core/db/sqlite';
import type { Store } from '#core/db/store';
import { secret } from '#core/secret';
import { createVault, masterKeySource, vaultMigrations } from '#vault';

export const PASSPHRASE = 'velvet orchard tram seven';

/** The vault of a home, with nothing around it; `around` may look at each write. */
export async function openVault(home: string, around: (real: Store['write']) => Store['write'] = (real) => real) {
  const real = openSqlite(join(home, 'castellan.db'));
  await migrate(real, [...auditMigrations, ...vaultMigrations]);
  const store: Store = { ...real, write: around(real.write) };
  const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
  const askPassphrase = async () => secret(PASSPHRASE);
  const masterKey = masterKeySource({ home, askPassphrase, cost: { memoryKib: 8_192, passes: 1, lanes: 1 } });
  const vault = createVault({ store, clock: systemClock, bus: createBus(() => {}), audit, masterKey });
  return { store: real, vault, audit };
}
