import { AppError } from '#core/errors';
import { nearest } from '#settings';
import { answerButton, answerLine } from './approval-cards.ts';
import { parseCommand, splitWords, type Command, type CommandPorts, type ParsedCommand } from './command.ts';
import { answerByCode, readCode, type WrittenCode } from './factor-code.ts';
import type { InboundMessage } from './kind.ts';

/** What to do with a message of the owner; `forget`: its text held a code, and is not kept. */
export type Dispatch =
  | { readonly do: 'reply'; readonly text: string; readonly toast?: string; readonly forget?: boolean }
  /** A button was pressed: a word for the moment is all that is needed. */
  | { readonly do: 'toast'; readonly toast: string }
  | { readonly do: 'talk' }
  | { readonly do: 'ignore' };

/** Where the message came from, in our words. */
export interface Origin {
  /** Our id of the message. */
  readonly id: string;
  readonly channel: string;
  readonly kind: string;
  /** Who we are there, e.g. `@my_bot`. */
  readonly account: string | null;
}

/** Decides without a model: a command, an answer to a question, or talk. */
export interface Dispatcher {
  /** Throws AppErrors to be told to the owner; anything else is a bug. */
  dispatch(message: InboundMessage, origin: Origin, signal: AbortSignal): Promise<Dispatch>;
}

export interface DispatcherDeps {
  readonly ports: CommandPorts;
  readonly commands: readonly Command[];
  readonly now: () => number;
  /** The caller's key of the message that the platform knows by this id. */
  readonly keyOf: (channel: string, chat: string, messageId: string) => Promise<string | undefined>;
}

/** Whether it must not wait behind an answer that is being written: decided on sight, before anything is read from the store. */
export function isControl({ text, callback, isForwarded }: InboundMessage): boolean {
  if (isForwarded) return false;
  if (callback !== undefined || parseCommand(text) !== null || readCode(text) !== null) return true;
  const words = text.trim().split(/\s+/);
  return words.length >= 2 && words.length <= 8 && [words[0]!, words.at(-1)!].some((word) => /^[A-HJ-NP-Z2-9]{4}[.,:;!]?$/i.test(word));
}

export function createDispatcher({ ports, commands, now, keyOf }: DispatcherDeps): Dispatcher {
  const names = [...commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]), 'help'];

  /** Paired senders speak for the owner, each under a name of its own: what the owner takes from one of them it may not do. */
  async function may(capability: string, message: InboundMessage, origin: Origin): Promise<void> {
    await ports.policy.enforce({ principal: principalOf(message, origin), capability });
  }

  /** What only looks like an answer is talk, so this refuses nothing. */
  function mayAnswer(message: InboundMessage, origin: Origin): boolean {
    return (
      isControl(message) &&
      ports.policy.decide({ principal: principalOf(message, origin), capability: 'approvals:answer' }).effect === 'allow'
    );
  }

  async function command(parsed: ParsedCommand, message: InboundMessage, origin: Origin, signal: AbortSignal): Promise<string> {
    if (parsed.name === 'help' || parsed.name === 'start') return helpText(commands);
    const found = commands.find(({ name, aliases = [] }) => name === parsed.name || aliases.includes(parsed.name));
    if (!found) return unknownText(parsed.name, names);
    if (found.argument === 'required' && parsed.argument === '') return `It needs more: \`/${found.name} ${found.usage}\``;
    if (found.argument === 'none' && parsed.argument !== '')
      return `\`/${found.name}\` stands alone; send it without "${parsed.argument.slice(0, 40)}".`;
    await may(found.grant, message, origin);
    return found.run({
      ports,
      argument: parsed.argument,
      words: splitWords(parsed.argument),
      by: `channel:${origin.channel}`,
      messageId: origin.id,
      now: now(),
      signal,
    });
  }

  async function talk(message: InboundMessage, origin: Origin): Promise<Dispatch> {
    await may('agents:talk', message, origin);
    return { do: 'talk' };
  }

  /** Whatever comes of it, the text must not go further: an error is told here and not thrown. */
  async function byCode(code: WrittenCode, message: InboundMessage, origin: Origin): Promise<string> {
    try {
      await may('approvals:answer', message, origin);
      return await answerByCode(ports.approvals, ports.factor, code, { by: `channel:${origin.channel}`, via: origin.kind });
    } catch (error) {
      if (error instanceof AppError) return errorText(error);
      throw error;
    }
  }

  return {
    async dispatch(message, origin, signal) {
      const answering = { by: `channel:${origin.channel}`, via: origin.kind };
      if (message.callback) {
        await may('approvals:answer', message, origin);
        const key = await keyOf(origin.channel, message.chat, message.callback.on);
        return { do: 'toast', toast: await answerButton(ports, key, message.callback.data, answering) };
      }
      if (message.isForwarded && message.text.trim() !== '') return talk(message, origin);
      const parsed = parseCommand(message.text);
      if (parsed) {
        const isForOther =
          parsed.bot !== null && origin.account !== null && `@${parsed.bot}`.toLowerCase() !== origin.account.toLowerCase();
        return isForOther ? { do: 'ignore' } : { do: 'reply', text: await command(parsed, message, origin, signal) };
      }
      if (message.text.trim() === '')
        return { do: 'reply', text: `I can read text only so far, not: ${message.attachments?.join(', ') ?? 'this'}.` };
      const code = readCode(message.text);
      if (code !== null && (await ports.factor.hasCodes())) return { do: 'reply', text: await byCode(code, message, origin), forget: true };
      const answered = mayAnswer(message, origin) && (await ports.approvals.answerText(message.text, answering));
      return answered ? { do: 'reply', text: answerLine(answered) } : talk(message, origin);
    },
  };
}

/** `channel:<id>:<sender>`; no platform's id of a person can hold a wildcard or a colon then. */
function principalOf({ sender }: InboundMessage, { channel }: Origin): string {
  return `channel:${channel}:${encodeURIComponent(sender.id).replaceAll('*', '%2A')}`;
}

function helpText(commands: readonly Command[]): string {
  const lines = commands.map(({ name, usage, summary }) => `/${name}${usage ? ` ${usage}` : ''} – ${summary}`);
  return ['Talk to me, or:', '', ...lines, '/help – This list'].join('\n');
}

function unknownText(name: string, names: readonly string[]): string {
  const [close] = nearest(name, names, 1);
  return `I have no command \`/${name}\`. ${close ? `Did you mean /${close}? ` : ''}/help lists them.`;
}

/** The owner's view of an error in a command. */
export function errorText(error: AppError): string {
  return error.message;
}
