export { createApprovals, type Answering, type Approvals, type ApprovalsDeps, type NewApproval } from './approvals.ts';
export { allows, assertAllowed, grantCatalogue, type KnownGrant } from './grants.ts';
export { policyRoutes, type PolicyRoutesDeps } from './routes.ts';
export { policyMigrations } from './tables.ts';
