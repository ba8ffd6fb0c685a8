import type { Owner } from '#owner';
import type { PolicyRoutesDeps } from '#policy';

/** What the credential of a principal carries; undefined for one that has none. */
export function heldBy(owner: Pick<Owner, 'tokens'>): PolicyRoutesDeps['heldBy'] {
  return async (principal) => {
    if (principal === 'owner' || principal === 'cli') return new Set(['*']);
    if (!principal.startsWith('token:')) return undefined;
    const token = (await owner.tokens.list()).find(({ id, isExpired }) => !isExpired && `token:${id}` === principal);
    return new Set(token?.grants);
  };
}
