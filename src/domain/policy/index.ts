export { createApprovals, type Answering, type Approvals, type ApprovalsDeps, type NewApproval } from './approvals.ts';
export type { Decision, DecisionContext, PolicyRequest } from './decision.ts';
export { allows, assertAllowed, grantCatalogue, type KnownGrant } from './grants.ts';
export { createPolicy, type Explanation, type Making, type Policy, type PolicyDeps } from './policy.ts';
export { policyRoutes, type PolicyRoutesDeps } from './routes.ts';
export type { Rule } from './rules.ts';
export { starterRules, type DeclaredSkill } from './starters.ts';
export { policyMigrations } from './tables.ts';
