import type { Label } from '#runs/contract';
import type { ContextBlock } from '../contract.ts';
import type { MessageRow } from '../tables.ts';
import { ownWords, type SaidBefore } from './exchanges.ts';
import type { Remembered } from './memories.ts';
import { shared } from './telling.ts';

/** Of one message, and of one in so many of all there is room for: so a whole conversation fits. */
const MESSAGE_CHARS = 500;
const MESSAGE_SHARE = 0.1;

/** What was said in one conversation, as context. */
export function saidBlock({ conversation, messages, held }: SaidBefore, limitChars: number): ContextBlock {
  const chars = Math.min(MESSAGE_CHARS, Math.floor(limitChars * MESSAGE_SHARE));
  const lines = messages.map(
    ({ role, text, created_at: at }) => `${role === 'user' ? 'Owner' : 'Answer'}, ${minute(at)}: ${around(ownWords(text), held, chars)}`,
  );
  return {
    source: 'recall: an earlier conversation',
    text: [`"${conversation.title}"`, ...lines].join('\n'),
    labels: labelsOf(messages),
    from: { kind: 'conversation', id: conversation.id },
  };
}

/** A memory, as context. */
export function memoryBlock({ hit: { id, kind, title, passage, createdAt, labels }, held }: Remembered): ContextBlock {
  return {
    source: `recall: a memory (${kind}, ${createdAt.slice(0, 10)})`,
    text: [...(title ? [title] : []), around(passage, held, MESSAGE_CHARS)].join('\n'),
    labels: labels.filter((label) => label !== 'owner'),
    from: { kind: 'memory', id },
  };
}

/** As many blocks as there is room for, in their order; one that does not fit makes room for a smaller one behind it. */
export function fitting(blocks: readonly ContextBlock[], limitChars: number): readonly ContextBlock[] {
  let left = limitChars;
  return blocks.filter(({ source, text }) => {
    const size = source.length + text.length;
    if (size > left) return false;
    left -= size;
    return true;
  });
}

/** What is recalled is nobody's order: the owner's own label stays behind. */
function labelsOf(messages: readonly MessageRow[]): Label[] {
  const all = new Set(messages.flatMap(({ labels }) => JSON.parse(labels) as Label[]));
  return [...all].filter((label) => label !== 'owner');
}

/** A long text from a little before the first line that holds one of the words. */
function around(text: string, words: readonly string[], chars: number): string {
  const flat = text.replaceAll(/\n{2,}/g, '\n');
  if (flat.length <= chars) return flat;
  const pieces = flat.split(/(?<=[.!?\n])\s/);
  const at = pieces.findIndex((piece) => shared(words, piece).length > 0);
  const before = pieces.slice(0, Math.max(0, at)).join(' ').length;
  const from = Math.max(0, Math.min(before, flat.length - chars));
  const end = from + chars;
  return `${from > 0 ? '…' : ''}${flat.slice(from, end).toWellFormed()}${end < flat.length ? '…' : ''}`;
}

function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
