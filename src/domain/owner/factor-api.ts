import { z } from 'zod';
import { Done, endpoint, listOf } from '#core/endpoint';

const Text = z.string().max(8_192);

/** What an authenticator signed (WebAuthn, section 5.2.2), each field in base64url. */
export const AuthenticatorAnswer = z.object({
  id: Text,
  rawId: Text,
  type: z.literal('public-key'),
  response: z.object({ clientDataJSON: Text, authenticatorData: Text, signature: Text, userHandle: Text.exactOptional() }),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).exactOptional(),
  clientExtensionResults: z.object({}).default({}),
});

/** What an authenticator says of a new passkey (WebAuthn, section 5.2.1). */
export const AuthenticatorOffer = z.object({
  id: Text,
  rawId: Text,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: Text,
    attestationObject: z.string().max(65_536),
    transports: z.array(z.enum(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])).exactOptional(),
  }),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).exactOptional(),
  clientExtensionResults: z.object({}).default({}),
});

/** A passkey as the owner sees it. */
export const PasskeyInfo = z.object({
  id: z.string(),
  name: z.string(),
  /** The host name that it is bound to. */
  address: z.string(),
  isUsableHere: z.boolean(),
  /** Kept in a cloud of its maker, and so on other devices too. */
  isSynced: z.boolean(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export type PasskeyInfo = z.infer<typeof PasskeyInfo>;

/** The second factors that are enrolled. */
export const FactorState = z.object({
  totp: z.object({ createdAt: z.string(), lastUsedAt: z.string().nullable() }).nullable(),
  passkeys: z.array(PasskeyInfo),
  /** Null before the first factor. */
  recoveryCodes: z.object({ left: z.number(), createdAt: z.string() }).nullable(),
  /** The name a passkey made here would be bound to; null at a bare IP address, which takes none. */
  passkeyName: z.string().nullable(),
});
export type FactorState = z.infer<typeof FactorState>;

/** With the first factor of all come its recovery codes, shown this once. */
const Enrolled = z.object({ recoveryCodes: z.array(z.string()).nullable() });
const PasskeyName = z.string().trim().min(1).max(60);

export const getFactors = endpoint({
  method: 'GET',
  path: '/api/factors',
  grant: 'owner:read',
  summary: 'The second factors that are enrolled.',
  input: z.strictObject({}),
  output: FactorState,
});
export const beginTotp = endpoint({
  method: 'POST',
  path: '/api/factors/totp',
  grant: 'owner:write',
  summary: 'Makes a secret for an authenticator app, in force once a code has proved it; shown this once.',
  input: z.strictObject({}),
  output: z.object({ secret: z.string(), uri: z.string(), svg: z.string(), text: z.string() }),
  status: 201,
  secondFactor: true,
});
export const confirmTotp = endpoint({
  method: 'POST',
  path: '/api/factors/totp/confirm',
  grant: 'owner:write',
  summary: 'Puts the new authenticator app in force, with a code that it shows.',
  input: z.strictObject({ code: z.string().max(20) }),
  output: Enrolled,
});
export const removeTotp = endpoint({
  method: 'DELETE',
  path: '/api/factors/totp',
  grant: 'owner:write',
  summary: 'Removes the authenticator app.',
  input: z.strictObject({}),
  output: Done,
  secondFactor: true,
});
export const newRecoveryCodes = endpoint({
  method: 'POST',
  path: '/api/factors/recovery-codes',
  grant: 'owner:write',
  summary: 'Makes ten new recovery codes in place of all before; shown this once.',
  input: z.strictObject({}),
  output: z.object({ recoveryCodes: z.array(z.string()) }),
  status: 201,
  secondFactor: true,
});
export const beginPasskey = endpoint({
  method: 'POST',
  path: '/api/passkeys/options',
  grant: 'owner:write',
  summary: 'What an authenticator needs to make a passkey for this address.',
  input: z.strictObject({}),
  output: z.object({ challenge: z.string(), options: z.unknown() }),
  secondFactor: true,
});
export const addPasskey = endpoint({
  method: 'POST',
  path: '/api/passkeys',
  grant: 'owner:write',
  summary: 'Enrols a passkey with what the authenticator answered.',
  input: z.strictObject({ challenge: z.string().max(200), name: PasskeyName, passkey: AuthenticatorOffer }),
  output: Enrolled.extend({ passkey: PasskeyInfo }),
  status: 201,
});
export const renamePasskey = endpoint({
  method: 'PUT',
  path: '/api/passkeys/{id}',
  grant: 'owner:write',
  summary: 'Gives a passkey another name.',
  input: z.strictObject({ id: z.string(), name: PasskeyName }),
  output: PasskeyInfo,
});
export const removePasskey = endpoint({
  method: 'DELETE',
  path: '/api/passkeys/{id}',
  grant: 'owner:write',
  summary: 'Removes a passkey.',
  input: z.strictObject({ id: z.string() }),
  output: Done,
  secondFactor: true,
});

/** Whatever can act for the owner: a browser that is logged in, a sender that was paired, an API token. */
export const Device = z.object({
  /** `browser:<id>`, `sender:<channel>:<id>`, `token:<id>`. */
  id: z.string(),
  kind: z.enum(['browser', 'sender', 'token']),
  name: z.string(),
  /** The address of a browser, the channel of a sender, the grants of a token. */
  detail: z.string(),
  createdAt: z.string().nullable(),
  lastSeenAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /** It is the one that asks. */
  isCurrent: z.boolean(),
});
export type Device = z.infer<typeof Device>;

export const listDevices = endpoint({
  method: 'GET',
  path: '/api/devices',
  grant: 'owner:read',
  summary: 'All that can act for the owner: browsers, paired senders, API tokens; last seen first.',
  input: z.strictObject({}),
  output: listOf(Device),
});
export const revokeDevice = endpoint({
  method: 'DELETE',
  path: '/api/devices/{id}',
  grant: 'owner:write',
  summary: 'Ends a session, makes a sender a stranger again, or ends a token.',
  input: z.strictObject({ id: z.string() }),
  output: Done,
});
