import type { TestChannel } from './testbed.ts';

/** What a platform shows of a message of ours. */
export interface Shown {
  readonly id: string;
  /** As a person reads it, without markup. */
  readonly text: string;
  readonly buttons: readonly string[];
  readonly edits: number;
}

/** What the next message that we send there meets: refused for good or for now, or work done and the line cut before the answer. */
export type Trouble = 'limited' | 'blocked' | 'refused' | 'server_error' | 'cut';

/** A platform as the conformance suite needs it: a server that speaks its protocol, with hands of its own. Nothing of Castellan is in it. */
export interface FakePlatform extends AsyncDisposable {
  readonly channel: TestChannel;
  /** Two people, each with a private chat. */
  readonly people: readonly [Person, Person];
  /** The most characters of one message. */
  readonly longest: number;
  /** Somebody writes; answers what `redeliver` and `isAcknowledged` take. */
  say(text: string, from: Person): string;
  /** The same once more, as after a lost acknowledgement. */
  redeliver(said: string): void;
  /** It will not deliver this again. */
  isAcknowledged(said: string): boolean;
  shown(to: Person): readonly Shown[];
  trouble(how: Trouble, to: Person): void;
  /** Messages to this person hang until released. */
  hold(to: Person): () => void;
  /** It answers nothing well from now on, or does again. */
  breakDown(down: boolean): void;
  /** It takes our credentials no longer. */
  revoke(): void;
  /** Resolves when the condition holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Presses a button; where there are buttons. */
  press?(message: Shown, button: string, by: Person): void;
  /** Words shown for a moment after a press. */
  readonly toasts?: readonly string[];
  isTyping?(to: Person): boolean;
  /** Calls our public address as somebody else would, and as the platform with what nobody can read; answers the status. */
  readonly calls?: { readonly forged: readonly (() => Promise<number>)[]; readonly unreadable: () => Promise<number> };
}

export interface Person {
  readonly sender: string;
  readonly chat: string;
}
