import { enclose } from '#content';
import type { Message } from '#llm/contract';
import type { Label } from '#runs/contract';
import { wordsOf } from './persona.ts';
import type { MessageRow } from './tables.ts';

/** What stands for the oldest messages of a conversation. */
export interface Summary {
  readonly text: string;
  /** Of all that it summarises. */
  readonly labels: readonly Label[];
  /** The last message it covers; it covers all before it. */
  readonly last: string;
}

/** What of a conversation goes to the model with the next message. */
export interface View {
  readonly messages: readonly Message[];
  /** The messages shown, oldest first. */
  readonly inView: readonly string[];
  /** Messages that were left out and that the summary, which is shown in their place, covers. */
  readonly summarised: number;
  /** Messages that were left out for their age and are in no summary. Their rows stay. */
  readonly dropped: number;
  readonly labels: ReadonlySet<Label>;
}

export interface ViewOptions {
  readonly summary?: Summary | null;
  /** There are messages before those given. */
  readonly isCutOff?: boolean;
}

/** Of the room of a view, what a summary may take. */
export const SUMMARY_SHARE = 0.25;
/** Of the room for the last exchange, what the question keeps when the answer would take it all. */
const ASK_SHARE = 1 / 3;
const GAP = ' […] ';

/**
 * The latest messages that fit in so many characters, oldest first, behind a summary of those that do not where there is one. The last exchange is
 * always there, shortened when it must be. Of several answers to one message the latest with words counts; turns alternate, for some providers
 * refuse two of one side in a row. `newestFirst` ends before the message that is being answered.
 */
export function viewOf(
  newestFirst: readonly MessageRow[],
  limitChars: number,
  boundary: string,
  { summary = null, isCutOff = false }: ViewOptions = {},
): View {
  const said = saidOf(newestFirst);
  const all = latest(said, limitChars);
  const stands = summary !== null && (isCutOff || all.length < said.length) ? summary : null;
  const note = stands ? shorten(stands.text, Math.floor(limitChars * SUMMARY_SHARE)) : '';
  const kept = stands ? latest(said, limitChars - note.length) : all;
  const left = said.slice(kept.length);
  const summarised = stands ? left.filter(({ id }) => id <= stands.last).length : 0;

  const messages: { role: Message['role']; parts: { type: 'text'; text: string }[] }[] = [];
  if (stands) {
    const enclosure = { source: 'a summary of what was said before', labels: stands.labels, boundary };
    messages.push({ role: 'user', parts: [{ type: 'text', text: enclose(note, enclosure) }] });
  }
  for (const { row, text } of kept.toReversed()) {
    const { role } = row;
    const words = role === 'user' ? wordsOf(text, new Set(labelsOf(row)), boundary) : text;
    const last = messages.at(-1);
    if (last?.role === role) last.parts.push({ type: 'text', text: words });
    else messages.push({ role, parts: [{ type: 'text', text: words }] });
  }
  return {
    messages,
    inView: kept.map(({ row }) => row.id).toReversed(),
    summarised,
    dropped: left.length - summarised,
    labels: new Set([...(stands?.labels ?? []), ...kept.flatMap(({ row }) => labelsOf(row))]),
  };
}

/** Those with words; of several answers to one message the latest. Newest first, as they are given. */
export function saidOf(newestFirst: readonly MessageRow[]): readonly MessageRow[] {
  const answered = new Set<string>();
  return newestFirst.filter((row) => {
    if (row.text.trim() === '' || (row.reply_to !== null && answered.has(row.reply_to))) return false;
    if (row.reply_to !== null) answered.add(row.reply_to);
    return true;
  });
}

/** A text in so many characters: its beginning and its end. */
export function shorten(text: string, chars: number): string {
  if (text.length <= chars) return text;
  if (chars < 4 * GAP.length) return text.slice(0, Math.max(0, chars)).toWellFormed();
  const tail = Math.floor((chars - GAP.length) / 3);
  return `${text.slice(0, chars - GAP.length - tail)}${GAP}${text.slice(-tail)}`.toWellFormed();
}

export function labelsOf({ labels }: MessageRow): Label[] {
  return JSON.parse(labels) as Label[];
}

interface Kept {
  readonly row: MessageRow;
  readonly text: string;
}

/** The newest that fit, never beginning with an answer. */
function latest(said: readonly MessageRow[], limitChars: number): readonly Kept[] {
  const kept: Kept[] = [];
  const ask = said[0]?.role === 'assistant' && said[1]?.role === 'user' ? said[1] : undefined;
  let room = limitChars;
  for (const row of said) {
    const reserved = ask && row === said[0] ? Math.min(ask.text.length, Math.floor(limitChars * ASK_SHARE)) : 0;
    const text = row === said[0] || row === ask ? shorten(row.text, room - reserved) : row.text;
    if (text.length > room) break;
    room -= text.length;
    kept.push({ row, text });
  }
  while (kept.at(-1)?.row.role === 'assistant') kept.pop();
  return kept;
}
