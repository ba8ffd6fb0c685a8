import { route, type Route } from '#core/endpoint';
import { secret } from '#core/secret';
import { listSecrets, putSecret, removeSecret, rotateSecret } from './contract.ts';
import type { Vault } from './vault.ts';

export function vaultRoutes(vault: Vault): readonly Route[] {
  return [
    route(listSecrets, async () => ({ items: [...(await vault.list())], next: null })),
    route(putSecret, ({ name, value, scope, description }, { caller }) =>
      vault.set(name, secret(value), caller.id, { scope, description }),
    ),
    route(rotateSecret, ({ name, value, graceSeconds }, { caller }) =>
      vault.rotate(name, secret(value), caller.id, { graceMs: graceSeconds * 1_000 }),
    ),
    route(removeSecret, async ({ name }, { caller }) => {
      await vault.remove(name, caller.id);
      return { ok: true as const };
    }),
  ];
}
