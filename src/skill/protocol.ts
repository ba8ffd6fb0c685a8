// What an installed skill and Castellan say to each other: one JSON document a line, UTF-8, on the skill's standard input and
// output. Castellan trusts no line of it: each is bounded, read by a schema, and asks for what policy then allows or denies.

/** Versions differ in their first line alone; the agent says which it speaks, and a skill's manifest which it was written for. */
export const PROTOCOL = 1;

/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a skill is told of the run it is part of. */
export interface Start {
  readonly runId: string;
  readonly stepPath: string;
  readonly dryRun: boolean;
  /** The owner's IANA time zone. */
  readonly timeZone: string;
  /** The step's prompt template, for `render`. */
  readonly prompt: string | null;
  /** Where the input came from: `untrusted`, `private`, `secret`, `owner`. */
  readonly labels: readonly string[];
  readonly resources: readonly Resource[];
  readonly input: Json;
  readonly config: Json;
}

/** A feed, site or document that the workflow gives its steps. */
export interface Resource {
  readonly name: string;
  readonly type: string;
  readonly url?: string;
  readonly content?: string;
  readonly tags: readonly string[];
  readonly metadata: { readonly [key: string]: Json };
}

/** An error as it crosses: its code is stable and listed in docs/reference/errors.md. */
export interface WireError {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly details?: { readonly [key: string]: Json };
}

/** From Castellan to the skill. */
export type ToSkill =
  /** The first line; `main` is the module whose default export is the skill. */
  | { readonly type: 'start'; readonly protocol: number; readonly main: string; readonly start: Start }
  /** One of several values of a call that streams. */
  | { readonly type: 'part'; readonly id: number; readonly value: Json }
  /** The answer of a call; of one that streams, its end. */
  | { readonly type: 'answer'; readonly id: number; readonly value: Json }
  | { readonly type: 'refusal'; readonly id: number; readonly error: WireError }
  /** The run was cancelled or its time is over: the process is ended a moment later. */
  | { readonly type: 'cancel'; readonly reason: string };

/** From the skill to Castellan. */
export type FromSkill =
  /** Asks for something; ids are the skill's own, and used once. */
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly params: Json }
  /** A stream is not read further. */
  | { readonly type: 'drop'; readonly id: number }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string; readonly data?: Json }
  /** The last line: how it ended. Whatever comes after it is not read. */
  | { readonly type: 'done'; readonly outcome: string; readonly output: Json }
  | { readonly type: 'failed'; readonly error: WireError };
