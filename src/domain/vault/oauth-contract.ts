import { z } from 'zod';
import { Done, endpoint, listOf } from '#core/endpoint';
import { SecretHosts, SecretName, SecretScope } from './scope.ts';

const Address = z
  .url({ protocol: /^https?$/, error: 'is not an http(s) address' })
  .refine((text) => new URL(text).protocol === 'https:' || isNear(new URL(text).hostname), 'is not encrypted: write https://');

/** This machine and private networks (RFC 1918), by their address. */
function isNear(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2}|\[::1\])$/.test(host);
}

/** How a service gives access (RFC 6749, 7636, 8628, 7009), as data: nothing here is about one vendor. */
export const OAuthClient = z.strictObject({
  /** Where the owner says yes in the browser; left out where only devices are known. */
  authorizeUrl: Address.optional(),
  tokenUrl: Address,
  /** Where a code to type in elsewhere comes from (RFC 8628). */
  deviceUrl: Address.optional(),
  revokeUrl: Address.optional(),
  /** Its name of itself; an answer that names another one is refused (RFC 9207). */
  issuer: z.string().optional(),
  clientId: z.string().min(1).max(500),
  /** A reference such as `@secret:google-client`; left out for a public client. */
  clientSecret: z
    .string()
    .regex(/^@secret:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'give a reference such as @secret:google-client')
    .optional(),
  /** How the secret is shown: in the form, or as HTTP Basic. */
  clientAuth: z.enum(['post', 'basic']).default('post'),
  scopes: z.array(z.string().min(1)).default([]),
  /** Added to the address where the owner says yes: `{ "access_type": "offline" }`. */
  authorizeParams: z.record(z.string(), z.string()).default({}),
  /** Where the browser comes back to; `/connections/callback` of this agent when left out. */
  redirectUri: z.url().optional(),
});
export type OAuthClient = z.infer<typeof OAuthClient>;

/** `new` was never granted; `ok` works; `failing` cannot be renewed just now; `broken` needs the owner. */
export const ConnectionState = z.enum(['new', 'ok', 'failing', 'broken']);

export const ConnectionInfo = z.object({
  name: z.string(),
  description: z.string(),
  client: OAuthClient,
  scope: z.string(),
  hosts: z.string(),
  state: ConnectionState,
  /** Scopes that were granted. */
  granted: z.array(z.string()),
  /** Renews itself. */
  renews: z.boolean(),
  accessExpiresAt: z.string().nullable(),
  /** When it will break unless the owner connects again, as far as can be known. */
  breaksAt: z.string().nullable(),
  connectedAt: z.string().nullable(),
  renewedAt: z.string().nullable(),
  /** What went wrong last. */
  problem: z.string().nullable(),
});
export type ConnectionInfo = z.infer<typeof ConnectionInfo>;

const Named = { name: SecretName };

export const listConnections = endpoint({
  method: 'GET',
  path: '/api/connections',
  grant: 'connections:read',
  summary: 'Grants of outside services, how they are and until when; never a token.',
  input: z.strictObject({}),
  output: listOf(ConnectionInfo),
});
export const putConnection = endpoint({
  method: 'PUT',
  path: '/api/connections/{name}',
  grant: 'connections:write',
  summary: 'Describes an outside service that gives access by OAuth; a change of its addresses or client ends the grant there was.',
  input: z.strictObject({
    ...Named,
    client: OAuthClient,
    description: z.string().max(500).optional(),
    scope: SecretScope.optional(),
    hosts: SecretHosts.optional(),
  }),
  output: ConnectionInfo,
  secondFactor: 'when_enrolled',
});
export const removeConnection = endpoint({
  method: 'DELETE',
  path: '/api/connections/{name}',
  grant: 'connections:write',
  summary: 'Revokes the grant at the service, as far as it can be reached, and forgets it.',
  input: z.strictObject(Named),
  output: Done.extend({ revoked: z.boolean() }),
});
export const startConnection = endpoint({
  method: 'POST',
  path: '/api/connections/{name}/start',
  grant: 'connections:write',
  summary: 'Begins a grant: an address to open in the browser, or a code to type in on any device. Valid ten minutes at most.',
  input: z.strictObject({
    ...Named,
    flow: z.enum(['browser', 'device']).default('browser'),
    /** Of the page that asks, so that the browser comes back to where it is logged in. */
    origin: z.string().max(300).optional(),
  }),
  output: z.object({
    url: z.string(),
    userCode: z.string().nullable(),
    expiresAt: z.string(),
  }),
});
export const completeConnection = endpoint({
  method: 'POST',
  path: '/api/connections/complete',
  grant: 'connections:write',
  summary: 'Ends a grant with what the service told the browser; only from the session that began it, once.',
  input: z.strictObject({
    state: z.string().min(1).max(200),
    code: z.string().max(4_096).optional(),
    error: z.string().max(200).optional(),
    errorDescription: z.string().max(1_000).optional(),
    iss: z.string().max(500).optional(),
  }),
  output: ConnectionInfo,
});
export const renewConnection = endpoint({
  method: 'POST',
  path: '/api/connections/{name}/renew',
  grant: 'connections:write',
  summary: 'Renews the access now, which proves that the grant still holds.',
  input: z.strictObject(Named),
  output: ConnectionInfo,
});

declare module '#core/bus' {
  interface Events {
    'connection.changed': { readonly name: string };
  }
}
