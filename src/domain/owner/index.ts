export { ensureControlToken, readControlToken } from './control-token.ts';
export { sessionCookie, type SessionCookie } from './cookie.ts';
export { createLoginLinks, type LoginLinks } from './login-link.ts';
export { createOwner, type Authenticated, type OpenedSession, type Owner, type OwnerDeps } from './owner.ts';
export type { Argon2Cost } from './password.ts';
export { doorRoutes, ownerRoutes, type DoorAnswer, type DoorRequest, type DoorRoute, type OwnerRoutesDeps } from './routes.ts';
export type { Origin } from './sessions.ts';
export { ownerMigrations } from './tables.ts';
export { createTokens, type TokenDeps, type Tokens } from './tokens.ts';
