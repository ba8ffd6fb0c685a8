import type { z } from 'zod';
import type { Clock } from '#core/clock';
import type { GuardedFetch } from '#core/fetch';
import type { Json } from '#core/json';
import type { Secret } from '#core/secret';

/** What differs between platforms, as properties: code asks for one of these, never for a name. */
export interface Capabilities {
  /** A message that was sent can be changed. */
  readonly edit: boolean;
  /** Messages carry buttons. Without them a question is answered by text: "yes K7QF". */
  readonly buttons: boolean;
  /** It can show that an answer is being written. */
  readonly typing: boolean;
  /** Whoever reaches it has proved to be the owner already (browser, terminal): no pairing, and no message goes out of the program. */
  readonly local: boolean;
  /** It drops a repeat of the same `key`, so that after a crash a message may simply be sent again. */
  readonly idempotent: boolean;
  /** The platform can call us, at `/channels/{id}` of the public side; whether it does is up to the channel's config. */
  readonly push: boolean;
}

/** A platform that Castellan talks through. Adapters are values of this type, listed in `kinds.ts`. */
export interface ChannelKind {
  readonly id: string;
  readonly title: string;
  readonly capabilities: Capabilities;
  /** The `config` of a channel, strictly; without secrets. */
  readonly settings: z.ZodType;
  /** Names of the secrets it needs, each kept as a `@secret:` reference; `token` first. */
  readonly secrets: readonly string[];
  /** Cuts Markdown into messages the platform takes. At least one for any text that is not blank. */
  render(markdown: string): readonly RenderedPart[];
  /** Connects and proves that the credentials are good; throws the codes of `failure.ts`. */
  open(context: OpenContext): Promise<Connection>;
}

/** What an adapter is given for one connection. */
export interface OpenContext {
  readonly channelId: string;
  /** Checked by the kind's `settings`. */
  readonly config: Json;
  secret(name: string): Secret;
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  /** Where the platform can call us; null when the owner gave no public address. */
  readonly callbackUrl: string | null;
  /** Aborted when the connection must end. */
  readonly signal: AbortSignal;
}

/** One open connection to a platform. Methods that send throw an AppError of one of the codes in `failure.ts`. */
export interface Connection {
  /** Who we are there, e.g. `@my_bot`; null where that means nothing. */
  readonly account: string | null;
  /**
   * Hears until the signal is aborted. Contract: the platform learns that a message arrived only after `receive` has
   * resolved, for then it is stored. Throws when it cannot go on. Absent where messages are pushed or come otherwise.
   */
  listen?(ear: Ear, signal: AbortSignal): Promise<void>;
  /**
   * Answers a call of the platform; null is the 404 that everything unknown gets. Contract: believes nothing before it has checked that the
   * platform sent it, and answers well only after `receive` has resolved.
   */
  answer?(call: PlatformCall, ear: Ear): Promise<PlatformAnswer | null>;
  send(message: OutgoingMessage, signal: AbortSignal): Promise<{ readonly messageId: string }>;
  /** Sets text and buttons of a message; setting them to what they are is no error. */
  edit?(messageId: string, message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  showTyping?(chat: string, signal: AbortSignal): Promise<void>;
  /** Tells the platform that a pressed button was heard; `text` is shown for a moment. */
  acknowledge?(callbackId: string, text: string, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** Where an adapter puts what it hears. */
export interface Ear {
  /** Where to go on from, as given with the last batch; null at the very first. */
  readonly cursor: string | null;
  /** Stores messages and cursor in one transaction. A message whose id is known is dropped. */
  receive(batch: { readonly messages: readonly InboundMessage[]; readonly cursor: string | null }): Promise<void>;
  /** The platform answered: for the channel's health. */
  alive(): void;
  /** It did not answer, and we try again. */
  trouble(error: Error): void;
}

/** What came in at our public address, byte for byte as it was sent. */
export interface PlatformCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface PlatformAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a person did, in the words of no platform. */
export interface InboundMessage {
  /** Unique within the channel, the platform's own: a redelivery has the same. */
  readonly messageId: string;
  /** Where to answer. */
  readonly chat: string;
  /** Only the two of us hear it. */
  readonly isPrivate: boolean;
  readonly sender: { readonly id: string; readonly name: string };
  /** Empty when there was none, e.g. a photo without a caption. */
  readonly text: string;
  /** A pressed button: its data, and the message it hangs on. */
  readonly callback?: { readonly id: string; readonly data: string; readonly on: string };
  /** Somebody else wrote it and the sender passed it on: never a command, never an answer, and its text is untrusted. */
  readonly isForwarded?: boolean;
  /** Kinds of attachments we do not read yet: `photo`, `voice`. */
  readonly attachments?: readonly string[];
  /** Milliseconds since the epoch, by the platform's clock. */
  readonly at: number;
}

export interface Button {
  readonly label: string;
  /** At most 64 bytes. */
  readonly data: string;
}

/** A piece of text as the platform takes it, and as plain text should it refuse the form. */
export interface RenderedPart {
  readonly text: string;
  readonly plain: string;
}

export interface OutgoingMessage {
  /** The same for every attempt at this message. */
  readonly key: string;
  readonly chat: string;
  readonly part: RenderedPart;
  readonly buttons: readonly Button[];
  /** The message it answers, shown as a quote where the platform can. */
  readonly replyTo: string | null;
}
