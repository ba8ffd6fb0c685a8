import { parseJson } from '#core/json';
import { Conditions, type Grant, type NewGrant } from './grant-shapes.ts';
import type { Making } from './policy.ts';
import type { GrantRow } from './queries-grants.ts';
import type { Rule } from './rules.ts';
import type { z } from 'zod';

/** The row of a grant that is about to be made. */
export function newRow(grant: z.output<typeof NewGrant>, { by, origin, approvalId }: Making, id: string, now: number): GrantRow {
  const { principal, capability, resource, effect, conditions, expiresAt, once, reason } = grant;
  return {
    id,
    principal,
    capability,
    resource,
    effect,
    conditions: JSON.stringify(conditions),
    expires_at: expiresAt === null ? null : Date.parse(expiresAt),
    once: once ? 1 : 0,
    reason,
    origin,
    made_by: by,
    created_at: now,
    approval_id: approvalId ?? null,
    run_id: null,
    step: null,
    used_at: null,
    revoked_at: null,
    revoked_by: null,
  };
}

/** A grant in force, as the table of decisions holds it. */
export function asRule(row: GrantRow): Rule {
  const { id, principal, capability, resource, effect } = row;
  return {
    id,
    principal,
    capability,
    resource,
    effect,
    conditions: parseJson(row.conditions, Conditions, `conditions of grant ${id}`),
    expiresAt: row.expires_at,
    once: row.once === 1,
    isStarter: false,
    createdAt: row.created_at,
  };
}

/** A row, or a rule that comes with the program, as it is shown. */
export function asGrant(it: GrantRow | Rule): Grant {
  if ('isStarter' in it) {
    const { id, principal, capability, resource, effect, conditions } = it;
    return {
      id,
      principal,
      capability,
      resource,
      effect,
      conditions,
      expiresAt: null,
      once: false,
      reason: 'Comes with the program.',
      origin: 'starter',
      madeBy: 'system',
      createdAt: new Date(0).toISOString(),
      approvalId: null,
      usedAt: null,
      revokedAt: null,
      revokedBy: null,
    };
  }
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const { id, principal, capability, resource, effect, reason, origin } = it;
  return {
    id,
    principal,
    capability,
    resource,
    effect,
    reason,
    origin,
    conditions: parseJson(it.conditions, Conditions, `conditions of grant ${id}`),
    expiresAt: iso(it.expires_at),
    once: it.once === 1,
    madeBy: it.made_by,
    createdAt: iso(it.created_at)!,
    approvalId: it.approval_id,
    usedAt: iso(it.used_at),
    revokedAt: iso(it.revoked_at),
    revokedBy: it.revoked_by,
  };
}
