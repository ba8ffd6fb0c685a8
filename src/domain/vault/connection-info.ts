import type { ConnectionInfo, OAuthClient } from './oauth-contract.ts';
import type { ConnectionRow } from './queries-connection.ts';

const DAY_MS = 86_400_000;
const WARN_BEFORE_MS = 7 * DAY_MS;

/** When a grant breaks by itself, as far as can be known: without renewal with its access, else with its refresh token. */
export function breaksAt(row: Pick<ConnectionRow, 'access_expires_at' | 'grant_expires_at'>, renews: boolean): number | null {
  return renews ? row.grant_expires_at : row.access_expires_at;
}

/** Whether it is time to tell the owner: a week before, or a quarter of a shorter life. */
export function isNearItsEnd(endsAt: number, beganAt: number, now: number): boolean {
  return endsAt - now <= Math.min(WARN_BEFORE_MS, (endsAt - beganAt) / 4);
}

/** A connection as the owner sees it: all but its tokens. */
export function describeConnection(
  row: ConnectionRow,
  client: OAuthClient,
  tokens: { readonly refreshToken: string | null } | null,
): ConnectionInfo {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const renews = tokens !== null && tokens.refreshToken !== null;
  return {
    name: row.name,
    description: row.description,
    client,
    scope: row.scope,
    hosts: row.hosts,
    state: row.state,
    granted: row.granted.split(' ').filter(Boolean),
    renews,
    accessExpiresAt: iso(row.access_expires_at),
    breaksAt: tokens === null ? null : iso(breaksAt(row, renews)),
    connectedAt: iso(row.connected_at),
    renewedAt: iso(row.renewed_at),
    problem: row.problem,
  };
}
