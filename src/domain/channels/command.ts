import type { Llm } from '#llm';
import type { Approvals, Policy } from '#policy';
import type { Runs } from '#runs';
import type { Label, RunSummary, TriggerRef } from '#runs/contract';
import type { Catalogue } from '#skills';
import type { Workflows } from '#workflows';
import type { Json } from '#core/json';
import type { FactorPort } from './factor-code.ts';

/** What commands may ask of the program. */
export interface CommandPorts {
  readonly workflows: Pick<Workflows, 'list' | 'get'> & {
    /** The same idempotency key is the same run. */
    start(
      workflowId: string,
      start: { readonly input?: Json; readonly trigger: TriggerRef; readonly labels: readonly Label[]; readonly idempotencyKey: string },
    ): Promise<RunSummary>;
  };
  readonly runs: Pick<Runs, 'list' | 'detail'> & { cancel(runId: string, by: string): Promise<RunSummary> };
  readonly skills: Pick<Catalogue, 'list'>;
  readonly llm: Pick<Llm, 'list' | 'usage'>;
  readonly approvals: Pick<Approvals, 'list' | 'get' | 'answer' | 'answerText'>;
  readonly policy: Pick<Policy, 'decide' | 'enforce'>;
  readonly factor: FactorPort;
  status(): Promise<ProgramStatus>;
}

export interface ProgramStatus {
  readonly version: string;
  readonly upMs: number;
  readonly memoryBytes: number;
  /** What is not well, in words. */
  readonly troubles: readonly string[];
}

/** A command as it was asked. */
export interface CommandCall {
  readonly ports: CommandPorts;
  /** All after the name, trimmed; empty when there was nothing. */
  readonly argument: string;
  /** The same, cut at blanks; quotes hold words together. */
  readonly words: readonly string[];
  /** Who asks: `channel:<id>`. */
  readonly by: string;
  /** Ours for the message: the same when it is handled again after a crash. */
  readonly messageId: string;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Something the owner asks by name, without a model; the same on every channel. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** What follows the name: `<workflow> [input]`. Empty when nothing does. */
  readonly usage: string;
  readonly summary: string;
  /** The capability that its sender needs. */
  readonly grant: string;
  readonly argument: 'none' | 'optional' | 'required';
  /** Markdown. Throws AppErrors, which are told. */
  run(call: CommandCall): Promise<string>;
}

/** A text read as a command. */
export interface ParsedCommand {
  readonly name: string;
  /** The bot named after `@`, where several share a chat. */
  readonly bot: string | null;
  readonly argument: string;
}

const COMMAND = /^\/([A-Za-z][A-Za-z0-9_-]{0,31})(?:@(\w+))?(?:\s+([\s\S]*))?$/;

/** Null for talk: a path such as `/etc/hosts` is no command. */
export function parseCommand(text: string): ParsedCommand | null {
  const match = COMMAND.exec(text.trim());
  return match && { name: match[1]!.toLowerCase(), bot: match[2] ?? null, argument: (match[3] ?? '').trim() };
}

/** Cuts at blanks; "a b", 'a b' and “a b” are one word. */
export function splitWords(text: string): string[] {
  return Array.from(
    text.matchAll(/"([^"]*)"|'([^']*)'|“([^”]*)”|(\S+)/g),
    ([, double, single, curly, bare]) => double ?? single ?? curly ?? bare!,
  );
}
