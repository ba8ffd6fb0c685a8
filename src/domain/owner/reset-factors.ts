import type { Audit } from '#audit';
import type { Store } from '#core/db/store';
import { deleteAllFactors } from './queries-factors.ts';

/**
 * Takes all second factors away, for an owner who lost them all: with no agent running, by whoever may write the home.
 * The password stays. The vault keeps a secret that nothing refers to any more.
 */
export async function resetFactors({ store, audit }: { readonly store: Store; readonly audit: Audit }, actor: string): Promise<void> {
  await store.write(async (tx) => {
    await deleteAllFactors(tx);
    await audit.record({ actor, action: 'owner.reset_factors', resource: 'owner' }, tx);
  });
}
