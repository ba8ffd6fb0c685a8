import { z } from 'zod';
import { Done, endpoint, listOf } from '#core/endpoint';
import { GrantPattern } from '#policy/contract';
import { AuthenticatorAnswer } from './factor-api.ts';
import { SessionInfo, SessionState } from './session-api.ts';

export * from './factor-api.ts';
export * from './session-api.ts';

const Password = z.string().max(1_024, 'a password has at most 1024 characters');

/** An API token, all but the token itself. */
export const TokenInfo = z.object({
  id: z.string(),
  name: z.string(),
  grants: z.array(z.string()),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  isExpired: z.boolean(),
  /** To the minute. */
  lastUsedAt: z.string().nullable(),
  /** Requests a minute, beyond which it is refused with 429; null is no limit. */
  ratePerMinute: z.number().nullable(),
});
export type TokenInfo = z.infer<typeof TokenInfo>;

export const NewToken = z.strictObject({
  name: z.string().trim().min(1).max(100),
  grants: z.array(GrantPattern).min(1).max(100).default(['*']),
  /** ISO 8601; null never expires. */
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
  ratePerMinute: z.int().min(1).max(100_000).nullable().default(null),
});
export type NewToken = z.infer<typeof NewToken>;

export const login = endpoint({
  method: 'POST',
  path: '/api/login',
  grant: 'public',
  summary: 'Logs a browser in with the password; with a second factor enrolled, gives a challenge for it instead of a session.',
  input: z.strictObject({ password: Password }),
  output: SessionState,
});
export const loginWithLink = endpoint({
  method: 'POST',
  path: '/api/login/link',
  grant: 'public',
  summary: 'Logs a browser in with the code of a login link, once.',
  input: z.strictObject({ code: z.string().max(200) }),
  output: SessionState,
});
export const loginWithFactor = endpoint({
  method: 'POST',
  path: '/api/login/factor',
  grant: 'public',
  summary: 'The second step of a login: a code, a recovery code, or what a passkey signed.',
  input: z.strictObject({ challenge: z.string().max(200), code: z.string().max(100).optional(), passkey: AuthenticatorAnswer.optional() }),
  output: SessionState,
});
export const beginPasskeyLogin = endpoint({
  method: 'POST',
  path: '/api/login/passkey/options',
  grant: 'public',
  summary: 'What a passkey must sign to log this browser in without a password.',
  input: z.strictObject({}),
  output: z.object({ challenge: z.string(), options: z.unknown() }),
});
export const loginWithPasskey = endpoint({
  method: 'POST',
  path: '/api/login/passkey',
  grant: 'public',
  summary: 'Logs a browser in with a passkey that knew its owner (user verification).',
  input: z.strictObject({ challenge: z.string().max(200), passkey: AuthenticatorAnswer }),
  output: SessionState,
});
export const setPassword = endpoint({
  method: 'PUT',
  path: '/api/password',
  grant: 'owner:write',
  summary:
    'Sets the password and logs every other browser out. The current one is needed, unless there is none or this browser came by a login link within the last 15 minutes.',
  input: z.strictObject({ password: Password, current: Password.optional() }),
  output: Done,
  secondFactor: 'when_enrolled',
});
export const createLoginLink = endpoint({
  method: 'POST',
  path: '/api/login/links',
  grant: 'owner:write',
  summary: 'Makes a link that logs one browser in, within 15 minutes.',
  input: z.strictObject({}),
  output: z.object({ url: z.string(), expiresAt: z.string() }),
  status: 201,
  secondFactor: 'when_enrolled',
});
export const listSessions = endpoint({
  method: 'GET',
  path: '/api/sessions',
  grant: 'owner:read',
  summary: 'The browsers that are logged in.',
  input: z.strictObject({}),
  output: listOf(SessionInfo.extend({ isCurrent: z.boolean() })),
});
export const revokeOtherSessions = endpoint({
  method: 'DELETE',
  path: '/api/sessions',
  grant: 'owner:write',
  summary: 'Logs every other browser out.',
  input: z.strictObject({}),
  output: z.object({ ended: z.number() }),
});
export const revokeSession = endpoint({
  method: 'DELETE',
  path: '/api/sessions/{id}',
  grant: 'owner:write',
  summary: 'Logs a browser out.',
  input: z.strictObject({ id: z.string() }),
  output: Done,
});
export const listTokens = endpoint({
  method: 'GET',
  path: '/api/tokens',
  grant: 'tokens:read',
  summary: 'The API tokens; never a token itself.',
  input: z.strictObject({}),
  output: listOf(TokenInfo),
});
export const createToken = endpoint({
  method: 'POST',
  path: '/api/tokens',
  grant: 'tokens:write',
  summary: 'Makes an API token, shown this once; it can do no more than who makes it.',
  input: NewToken,
  output: TokenInfo.extend({ token: z.string() }),
  status: 201,
  secondFactor: 'when_enrolled',
});
export const revokeToken = endpoint({
  method: 'DELETE',
  path: '/api/tokens/{id}',
  grant: 'tokens:write',
  summary: 'Ends an API token at once.',
  input: z.strictObject({ id: z.string() }),
  output: Done,
});
