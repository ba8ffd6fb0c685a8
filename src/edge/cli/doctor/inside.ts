import { existsSync } from 'node:fs';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { AppError, errorInfo } from '#core/errors';
import { auditMigrations, createAudit } from '#audit';
import { listChannels } from '#channels/contract';
import { listProviders } from '#llm/contract';
import { getFactors, type FactorState } from '#owner/contract';
import { listSettings } from '#settings/contract';
import { createVault, masterKeySource, vaultMigrations } from '#vault';
import { databaseFile, withStore } from '../offline.ts';
import { megabytes } from '../words.ts';
import { fail, ok, warn, type Check, type Finding } from './checks.ts';

/** The database: sound, safe, and with a vault that opens. Only reads, beside a running agent too. */
export const checkStore: Check = async ({ io, config }) => {
  if (!config) return [];
  if (!config.databaseUrl && !existsSync(databaseFile(io.home))) return [ok('database', 'There is none yet: "castellan start" makes it')];
  try {
    return await withStore(io, [...auditMigrations, ...vaultMigrations], async (store) => {
      await store.checkIntegrity();
      const { engine, sizeBytes } = await store.facts();
      const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
      const report = await audit.verify();
      const masterKey = masterKeySource({ home: io.home, given: config.masterKey, file: config.masterKeyFile });
      const vault = createVault({
        store,
        clock: systemClock,
        bus: createBus(() => {}),
        audit,
        masterKey: { where: masterKey.where, read: masterKey.read, create: () => Promise.reject(NO_KEY_YET()) }, // changes no file
      });
      return [
        ok('database', `${engine}, ${megabytes(sizeBytes)}, sound`),
        report.ok
          ? ok('audit', `The chain of ${report.checked} entries is whole`)
          : fail(
              'audit',
              report.problems[0]!.message,
              'Somebody changed it, or the disk did: compare with a backup ("castellan audit verify" lists all)',
            ),
        await vaultFinding(vault),
      ];
    });
  } catch (error) {
    const { message } = errorInfo(error);
    return [fail('database', message, 'castellan backup restore FILE puts a backup in its place')];
  }
};

const NO_KEY_YET = (): AppError => new AppError('not_found', 'vault.key_missing', 'There is no master key yet');

async function vaultFinding(vault: ReturnType<typeof createVault>): Promise<Finding> {
  const secrets = await vault.list();
  try {
    await vault.keyFor('doctor');
    return ok('vault', `It opens; ${secrets.length} secret${secrets.length === 1 ? '' : 's'} in it`);
  } catch (error) {
    if (errorInfo(error).code === 'vault.passphrase_needed') return ok('vault', 'It opens with a passphrase, asked for at each start');
    if (secrets.length === 0 && errorInfo(error).code === 'vault.key_missing')
      return ok('vault', 'Empty; its key is made with the first secret');
    return fail(
      'vault',
      errorInfo(error).message,
      'Put the right master key in its place: master.key in the home, or CASTELLAN_MASTER_KEY',
    );
  }
}

/** What only the running agent knows: its parts, providers, channels and settings. */
export const checkRunning: Check = async ({ io, pid }) => {
  if (pid === null) return [];
  const client = await io.clientIfRunning();
  if (!client) return [];
  const signal = AbortSignal.timeout(20_000);
  const [factors, providers, channels, settings] = await Promise.all([
    client.call(getFactors, {}, { signal }),
    client.call(listProviders, {}, { signal }),
    client.call(listChannels, {}, { signal }).catch(() => ({ items: [] })),
    client.call(listSettings, {}, { signal }),
  ]);
  const models = providers.items.filter((it) => it.enabled);
  const broken = settings.items.filter((it) => it.problem);
  return [
    ownerFinding(factors),
    ...(models.length === 0
      ? [
          warn(
            'models',
            'No model is set up: answers are made offline',
            'Give a key: printf %s "$KEY" | castellan secret set anthropic-api-key, then add the provider in the browser',
          ),
        ]
      : []),
    ...models.map((it) =>
      it.health.state === 'healthy'
        ? ok('models', `${it.name}: nothing is wrong with it`)
        : warn(
            'models',
            `${it.name}: ${it.health.state}${it.health.reason ? `, ${it.health.reason}` : ''}`,
            `castellan llm test ${it.name}`,
          ),
    ),
    ...channels.items
      .filter((it) => it.enabled)
      .map((it) =>
        it.health.state === 'failing' || it.health.state === 'broken'
          ? warn('channels', `${it.name}: ${it.health.lastError?.message ?? it.health.state}`, `castellan channels test ${it.name}`)
          : ok('channels', `${it.name}: ${it.health.state}`),
      ),
    ...broken.map((it) => warn('settings', `${it.key}: ${it.problem}`, `castellan settings reset ${it.key}`)),
  ];
};

/** How the way in is guarded; codes that run out are told of before the day they are needed. */
function ownerFinding({ totp, passkeys, recoveryCodes }: FactorState): Finding {
  const left = recoveryCodes?.left ?? 0;
  if (totp === null && passkeys.length === 0) return ok('owner', 'No second factor; "castellan factor app" sets one up');
  if (left <= 2) return warn('owner', `Recovery codes left: ${left}`, 'castellan factor recovery-codes');
  return ok('owner', 'A second factor guards logins and sensitive acts');
}
