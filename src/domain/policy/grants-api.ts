import { z } from 'zod';
import { endpoint, listOf, Page } from '#core/endpoint';
import { CapabilityName, ContentLabel, Effect, Grant, NewGrant, PrincipalName } from './grant-shapes.ts';

const Id = z.strictObject({ id: z.string() });

export const listPolicyGrants = endpoint({
  method: 'GET',
  path: '/api/grants',
  grant: 'grants:read',
  summary: 'Grants in force, newest first; with all=true those that ended too.',
  input: Page.extend({ principal: z.string().optional(), all: z.stringbool().optional() }),
  output: listOf(Grant),
});
export const listStarterGrants = endpoint({
  method: 'GET',
  path: '/api/grants/starters',
  grant: 'grants:read',
  summary: 'What is granted from the start; every grant of the owner is stronger.',
  input: z.strictObject({}),
  output: z.object({ items: z.array(Grant) }),
});
export const getPolicyGrant = endpoint({
  method: 'GET',
  path: '/api/grants/{id}',
  grant: 'grants:read',
  summary: 'One grant.',
  input: Id,
  output: Grant,
});
export const createPolicyGrant = endpoint({
  method: 'POST',
  path: '/api/grants',
  grant: 'grants:write',
  summary: 'Allows, denies or has asked about something from now on. Nobody grants what they may not do themselves.',
  secondFactor: true,
  input: NewGrant,
  output: Grant,
  status: 201,
});
export const replacePolicyGrant = endpoint({
  method: 'PUT',
  path: '/api/grants/{id}',
  grant: 'grants:write',
  summary: 'Puts another grant in the place of this one, which is revoked; the answer has a new id.',
  secondFactor: true,
  input: Id.extend({ grant: NewGrant }),
  output: Grant,
});
export const revokePolicyGrant = endpoint({
  method: 'DELETE',
  path: '/api/grants/{id}',
  grant: 'grants:write',
  summary: 'Takes a grant out of force; it stays on record.',
  secondFactor: true,
  input: Id,
  output: Grant,
});
export const explainPolicy = endpoint({
  method: 'POST',
  path: '/api/policy/explain',
  grant: 'grants:read',
  summary: 'What would be decided, by which rule and why; records and counts nothing.',
  input: z.strictObject({
    principal: PrincipalName,
    capability: CapabilityName,
    /** `example.com`, `https://example.com/x`, `/home/ann/notes`, `home:42`; made canonical. */
    resource: z.string().min(1).max(2_000).default('*'),
    /** Who stands before the principal, outermost first. */
    chain: z.array(PrincipalName).max(16).default([]),
    labels: z.array(ContentLabel).max(4).default([]),
    /** As if the owner had written the resource into the workflow. */
    named: z.boolean().default(false),
    /** ISO 8601; now when left out. */
    at: z.iso.datetime({ offset: true }).optional(),
  }),
  output: z.object({
    effect: Effect,
    rule: z.string().nullable(),
    reason: z.string(),
    link: z.string().nullable(),
    beyond: z.array(ContentLabel),
    /** In canonical form, as it was decided about. */
    resource: z.string(),
    /** Rules that cover the case, the closest first. */
    matching: z.array(Grant),
  }),
});
