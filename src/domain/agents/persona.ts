import { enclose, ENVELOPE_RULE } from '#content';
import type { Label } from '#runs/contract';
import type { Assistant, ContextBlock } from './contract.ts';

/** Whom an assistant works for. */
export interface OwnerFacts {
  /** Empty when not known. */
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  /** BCP 47. */
  readonly language: string;
}

const USUAL = [
  'You are {name}, the personal agent of {owner}, running on their own hardware.',
  'Be direct and precise. Say what you do not know; ask one short question when the request leaves room for doubt.',
].join('\n');

/** The system prompt: layers in their order, blank ones left out. It holds nothing that changes by the minute, so that providers can cache it. */
export function systemPrompt({ name, persona }: Pick<Assistant, 'name' | 'persona'>, owner: OwnerFacts): string {
  const fill = (text: string): string => text.replaceAll('{name}', name).replaceAll('{owner}', owner.name || 'your owner');
  const language = `Unless asked otherwise, write in the language of the message; when that is unclear, in ${owner.language}.`;
  return [persona.system || USUAL, persona.persona, persona.context, ENVELOPE_RULE, language]
    .map((layer) => fill(layer).trim())
    .filter((layer) => layer !== '')
    .join('\n\n');
}

/** The hour of the owner, as context of one message. */
export function clockBlock(now: number, timeZone: string): ContextBlock {
  const text = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'short' }).format(now);
  return { source: 'clock', text: `${text} (${timeZone})` };
}

/** Context and words as the model reads them: blocks first, each in its envelope, and the words too when a stranger wrote them. */
export function promptOf(context: readonly ContextBlock[], words: string, labels: ReadonlySet<Label>, boundary: string): string {
  const blocks = context.map(({ source, text, labels: own = [] }) => enclose(text, { source, labels: own, boundary }));
  return [...blocks, ...(words === '' ? [] : [wordsOf(words, labels, boundary)])].join('\n\n');
}

/** What somebody said, as the model reads it: what the owner only passed on is data. */
export function wordsOf(words: string, labels: ReadonlySet<Label>, boundary: string): string {
  return labels.has('untrusted') ? enclose(words, { source: 'a message passed on', labels: [...labels], boundary }) : words;
}
