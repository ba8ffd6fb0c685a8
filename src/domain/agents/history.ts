import type { Message } from '#llm/contract';
import type { Label } from '#runs/contract';
import { wordsOf } from './persona.ts';
import type { MessageRow } from './tables.ts';

/** What of a conversation goes to the model with the next message. */
export interface View {
  readonly messages: readonly Message[];
  /** Messages that were left out for their age. Their rows stay. */
  readonly dropped: number;
  readonly labels: ReadonlySet<Label>;
  /** The oldest message in view; null when none is. */
  readonly oldest: string | null;
}

/**
 * The latest messages that fit in so many characters, oldest first. Of several answers to one message the latest with words counts; turns
 * alternate, for some providers refuse two of one side in a row. `newestFirst` ends before the message that is being answered.
 */
export function viewOf(newestFirst: readonly MessageRow[], limitChars: number, boundary: string): View {
  const answered = new Set<string>();
  const kept: MessageRow[] = [];
  let used = 0;
  let seen = 0;
  for (const row of newestFirst) {
    const isRepeat = row.reply_to !== null && answered.has(row.reply_to);
    if (row.text.trim() === '' || isRepeat) {
      seen += 1;
      continue;
    }
    if (used + row.text.length > limitChars) break;
    if (row.reply_to !== null) answered.add(row.reply_to);
    used += row.text.length;
    seen += 1;
    kept.push(row);
  }
  const oldestFirst = kept.toReversed();
  while (oldestFirst[0]?.role === 'assistant') oldestFirst.shift();
  const messages: { role: Message['role']; parts: { type: 'text'; text: string }[] }[] = [];
  for (const row of oldestFirst) {
    const { role } = row;
    const text = role === 'user' ? wordsOf(row.text, new Set(JSON.parse(row.labels) as Label[]), boundary) : row.text;
    const last = messages.at(-1);
    if (last?.role === role) last.parts.push({ type: 'text', text });
    else messages.push({ role, parts: [{ type: 'text', text }] });
  }
  const labels = new Set(oldestFirst.flatMap((row) => JSON.parse(row.labels) as Label[]));
  return { messages, dropped: newestFirst.length - seen, labels, oldest: oldestFirst[0]?.id ?? null };
}
