// Changes the master key of a home and dies by SIGKILL before its n-th step; a step is any change of a file and each side of each write.
// Arguments: home, n, kind of the new key, what becomes of the old one. Says "whole" when it was not killed.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { secret } from '#core/secret';

const [home, kill, kind, old] = process.argv.slice(2) as [string, string, 'file' | 'passphrase', 'keep' | 'destroy'];
const state = { step: 0, isArmed: false };

function step(): void {
  if (state.isArmed && (state.step += 1) === Number(kill)) process.kill(process.pid, 'SIGKILL');
}

const fs = createRequire(import.meta.url)('node:fs/promises') as Record<string, (...args: unknown[]) => Promise<unknown>>;
for (const name of ['open', 'rename', 'rm', 'link', 'writeFile', 'mkdir']) {
  const real = fs[name]!;
  fs[name] = (...args) => (step(), real(...args));
}
syncBuiltinESMExports();

const { openVault, PASSPHRASE } = await import('./rekey-home.ts');
const { vault, store } = await openVault(home, (real) => async (fn) => {
  step();
  const result = await real(async (tx) => {
    const made = await fn(tx);
    step();
    return made;
  });
  step();
  return result;
});
await vault.keyFor('test');
state.isArmed = true;
await vault.changeMasterKey(kind === 'file' ? { kind } : { kind, passphrase: secret(PASSPHRASE) }, old, 'owner');
state.isArmed = false;
await store.close();
process.stdout.write(`whole ${state.step} ${join(home, 'master.key')}\n`);
