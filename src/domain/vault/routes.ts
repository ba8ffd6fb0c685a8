import { route, type Route } from '#core/endpoint';
import { AppError } from '#core/errors';
import { secret } from '#core/secret';
import { describeSecret, listSecrets, putSecret, removeSecret, rotateMasterKey, rotateSecret } from './contract.ts';
import type { NextKey } from './master-key.ts';
import type { Vault } from './vault.ts';

export function vaultRoutes(vault: Vault): readonly Route[] {
  async function usesOf(name: string): Promise<string[]> {
    return (await vault.uses()).filter((use) => use.secret === name).map(({ where }) => where);
  }

  return [
    route(listSecrets, async () => {
      const uses = Map.groupBy(await vault.uses(), (use) => use.secret);
      const items = (await vault.list()).map((info) => ({ ...info, usedBy: (uses.get(info.name) ?? []).map(({ where }) => where) }));
      return { items, next: null };
    }),
    route(putSecret, ({ name, value, ...told }, { caller }) => vault.set(name, secret(value), caller.id, told)),
    route(describeSecret, ({ name, ...told }, { caller }) => vault.describe(name, caller.id, told)),
    route(rotateSecret, ({ name, value, graceSeconds }, { caller }) =>
      vault.rotate(name, secret(value), caller.id, { graceMs: graceSeconds * 1_000 }),
    ),
    route(removeSecret, async ({ name, force }, { caller }) => {
      const usedBy = force === 'true' ? [] : await usesOf(name);
      if (usedBy.length > 0)
        throw new AppError(
          'conflict',
          'vault.in_use',
          `The secret "${name}" is used by ${usedBy.join('; ')}: change that first, or remove it with --force`,
          {
            name,
            usedBy,
          },
        );
      await vault.remove(name, caller.id);
      return { ok: true as const };
    }),
    route(rotateMasterKey, ({ to, key, old }, { caller }) => vault.changeMasterKey(nextKey(to, key), old, caller.id)),
  ];
}

function nextKey(kind: NextKey['kind'], text: string | undefined): NextKey {
  if (kind === 'file') return { kind };
  if (text === undefined) throw new AppError('invalid', 'input.invalid', `key: give the ${kind === 'given' ? 'new key' : 'passphrase'}`);
  return kind === 'given' ? { kind, key: secret(text) } : { kind, passphrase: secret(text) };
}
