import { z } from 'zod';
import { Done, endpoint, listOf, Page } from '#core/endpoint';
import { AnyJson } from '#core/json';

/** How well a channel does; times are ISO 8601, UTC. */
export const ChannelHealth = z.object({
  /** `off`: switched off; `connecting`: not yet proved; `ok`; `failing`: tries again by itself; `broken`: needs the owner (wrong token). */
  state: z.enum(['off', 'connecting', 'ok', 'failing', 'broken']),
  /** The platform last answered. */
  lastOkAt: z.string().nullable(),
  /** A person was last heard. */
  lastHeardAt: z.string().nullable(),
  lastError: z.object({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
});
export type ChannelHealth = z.infer<typeof ChannelHealth>;

const Name = z
  .string()
  .trim()
  .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'a channel name has small letters, digits, ".", "_" and "-", at most 40');
const SecretReference = z
  .string()
  .regex(/^@secret:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'give a reference such as @secret:telegram');

export const Channel = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  config: AnyJson,
  /** References by the name the kind gives them; never a value. */
  secrets: z.record(z.string(), z.string()),
  enabled: z.boolean(),
  isDefault: z.boolean(),
  /** Who we are there, e.g. `@my_bot`. */
  account: z.string().nullable(),
  /** Where the platform can call us; null when it does not call, or no public address is known. */
  callbackUrl: z.string().nullable(),
  health: ChannelHealth,
  /** How many senders may use it. */
  paired: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Channel = z.infer<typeof Channel>;

export const NewChannel = z.strictObject({
  kind: z.string(),
  name: Name,
  config: AnyJson.default({}),
  secrets: z.record(z.string(), SecretReference).default({}),
  enabled: z.boolean().default(true),
});
export type NewChannel = z.input<typeof NewChannel>;

export const ChannelPatch = z.strictObject({
  name: Name.optional(),
  config: AnyJson.optional(),
  secrets: z.record(z.string(), SecretReference).optional(),
  enabled: z.boolean().optional(),
  /** Only `true`: messages to the owner go here from now on. */
  isDefault: z.literal(true).optional(),
});
export type ChannelPatch = z.input<typeof ChannelPatch>;

/** stranger ⇄ paired by a code; blocked by the owner, or by guessing codes; unblocked back to stranger. */
export const SenderStatus = z.enum(['stranger', 'paired', 'blocked']);
export type SenderStatus = z.infer<typeof SenderStatus>;

export const Sender = z.object({
  id: z.string(),
  name: z.string(),
  /** The private chat messages to this sender go to. */
  chat: z.string().nullable(),
  status: SenderStatus,
  pairedAt: z.string().nullable(),
  lastSeenAt: z.string(),
});
export type Sender = z.infer<typeof Sender>;

/** What became of one message to one chat. */
export const Receipt = z.object({
  channel: z.string(),
  chat: z.string(),
  /** `deferred`: the platform asked for a long wait; the rest goes out by itself then. */
  status: z.enum(['sent', 'deferred']),
  /** The platform's own ids, one for each part sent. */
  messageIds: z.array(z.string()),
});
export type Receipt = z.infer<typeof Receipt>;

export const InboundRecord = z.object({
  id: z.string(),
  channel: z.string(),
  messageId: z.string(),
  chat: z.string(),
  sender: z.object({ id: z.string(), name: z.string() }),
  /** Empty for strangers: what they say is not kept. */
  text: z.string(),
  status: z.enum(['received', 'handled', 'failed', 'ignored']),
  attempts: z.number(),
  error: z.string().nullable(),
  at: z.string(),
});
export type InboundRecord = z.infer<typeof InboundRecord>;

const Id = z.strictObject({ id: z.string() });
const PairingCode = z.string().trim().min(4).max(40);

export const listChannels = endpoint({
  method: 'GET',
  path: '/api/channels',
  grant: 'channels:read',
  summary: 'The channels with their health.',
  input: z.strictObject({}),
  output: listOf(Channel),
});
export const getChannel = endpoint({
  method: 'GET',
  path: '/api/channels/{id}',
  grant: 'channels:read',
  summary: 'One channel, by id or name.',
  input: Id,
  output: Channel,
});
export const addChannel = endpoint({
  method: 'POST',
  path: '/api/channels',
  grant: 'channels:write',
  summary: 'Adds a channel and connects it.',
  input: NewChannel,
  output: Channel,
  status: 201,
});
export const changeChannel = endpoint({
  method: 'PUT',
  path: '/api/channels/{id}',
  grant: 'channels:write',
  summary: 'Changes the given fields of a channel and connects it anew.',
  input: ChannelPatch.extend({ id: z.string() }),
  output: Channel,
});
export const removeChannel = endpoint({
  method: 'DELETE',
  path: '/api/channels/{id}',
  grant: 'channels:write',
  summary: 'Disconnects a channel and forgets it with its senders and messages.',
  input: Id,
  output: Done,
});
export const testChannel = endpoint({
  method: 'POST',
  path: '/api/channels/{id}/test',
  grant: 'channels:write',
  summary: 'Sends a test message to the paired senders, or to the chat given.',
  input: Id.extend({ to: z.string().optional() }),
  output: z.object({
    receipts: z.array(Receipt),
    /** From the wish to the platform's receipt. */
    tookMs: z.number(),
  }),
});
export const pairSender = endpoint({
  method: 'POST',
  path: '/api/channels/{id}/pair',
  grant: 'channels:write',
  summary: 'Lets in the sender who was shown this code.',
  input: Id.extend({ code: PairingCode }),
  output: z.object({ channel: z.string(), sender: Sender }),
});
export const pairAnywhere = endpoint({
  method: 'POST',
  path: '/api/pairings',
  grant: 'channels:write',
  summary: 'Lets in the sender who was shown this code, whatever the channel.',
  input: z.strictObject({ code: PairingCode }),
  output: z.object({ channel: z.string(), sender: Sender }),
});
export const invite = endpoint({
  method: 'POST',
  path: '/api/channels/{id}/invite',
  grant: 'channels:write',
  summary: 'Makes a code that pairs whoever sends it to the channel first, as "/start CODE".',
  input: Id,
  output: z.object({ code: z.string(), expiresAt: z.string(), message: z.string() }),
});
export const listSenders = endpoint({
  method: 'GET',
  path: '/api/channels/{id}/senders',
  grant: 'channels:read',
  summary: 'Who has written to a channel.',
  input: Id,
  output: listOf(Sender),
});
export const setSender = endpoint({
  method: 'PUT',
  path: '/api/channels/{id}/senders/{sender}',
  grant: 'channels:write',
  summary: 'Blocks a sender, or makes one a stranger again.',
  input: Id.extend({ sender: z.string(), status: z.enum(['stranger', 'blocked']) }),
  output: Sender,
});
export const listInbound = endpoint({
  method: 'GET',
  path: '/api/channels/{id}/messages',
  grant: 'channels:read',
  summary: 'What was received, newest first, and what became of it.',
  input: Page.extend({ id: z.string() }),
  output: listOf(InboundRecord),
});

declare module '#core/bus' {
  interface Events {
    'channel.changed': { readonly id: string; readonly name: string; readonly health: ChannelHealth };
    'channel.removed': { readonly id: string; readonly name: string };
    /** A paired sender was heard: the "we heard you" of the setup page. */
    'channel.heard': { readonly id: string; readonly sender: string; readonly at: string };
    'channel.stranger': { readonly id: string; readonly sender: string; readonly name: string };
    'channel.paired': { readonly id: string; readonly sender: Sender };
    /** A message to the owner on a channel that has no platform behind it: browser and terminal show it. */
    'channel.delivered': { readonly id: string; readonly chat: string; readonly messageId: string; readonly text: string };
  }
}
