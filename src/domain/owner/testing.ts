import { fakeAudit } from '#audit/testing';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import type { Secret } from '#core/secret';
import { createOwner, type Owner, type OwnerDeps } from './owner.ts';
import type { Argon2Cost } from './password.ts';
import type { SecretKeeper } from './totp.ts';

/** A hash that costs nothing, so that tests of logins are quick. */
export const cheapPasswords: Argon2Cost = { memoryKib: 8, passes: 1, lanes: 1 };

/** Stands in for the vault: keeps secrets in memory. */
export function memorySecrets(): SecretKeeper & { readonly names: () => string[] } {
  const kept = new Map<string, Secret>();
  return {
    names: () => [...kept.keys()],
    async get(name) {
      const found = kept.get(name);
      if (!found) throw new AppError('not_found', 'vault.no_secret', 'No such secret', { name });
      return found;
    },
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  };
}

/** The real owner on this store and clock, with a cheap password. */
export function testOwner(deps: Pick<OwnerDeps, 'clock'> & { readonly store: Store } & Partial<OwnerDeps>): Owner {
  return createOwner({
    audit: fakeAudit(),
    newId: uuidv7(),
    secrets: memorySecrets(),
    tell: () => {},
    passwordCost: cheapPasswords,
    ...deps,
  });
}
