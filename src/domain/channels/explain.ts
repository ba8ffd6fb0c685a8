import type { Store } from '#core/db/store';
import { parseJson } from '#core/json';
import { z } from 'zod';
import type { Explainer } from '#runs';
import { findChannel, findInbound, outboundsOf, type InboundRow, type OutboundRow } from './queries.ts';

const Sent = z.object({ sender: z.object({ name: z.string() }) });
const Failure = z.object({ message: z.string() });

/** What became of a message that a channel received, by the id that `messages` of a channel shows. */
export function explainMessage({ db }: Pick<Store, 'db'>): Explainer {
  return async (id) => {
    const row = await findInbound(db, id);
    if (!row) return null;
    const channel = (await findChannel(db, row.channel))?.name ?? row.channel;
    const { sender } = parseJson(row.payload, Sent, 'a stored message');
    const answers = [...(await outboundsOf(db, `inbound:${id}`)), ...(await outboundsOf(db, `inbound:${id}:failed`))].filter(
      ({ status }) => status !== 'draft' || row.ended_at === null, // what a failed try began to write
    );
    return {
      title: `A message of ${sender.name} on ${channel}`,
      lines: [
        { at: iso(row.received_at), text: 'It was received and stored, and only then acknowledged.' },
        { at: iso(row.ended_at), text: ended(row) },
        ...answers.map((each) => ({ at: iso(each.ended_at), text: answered(each) })),
      ],
    };
  };
}

function ended({ status, attempts, error }: InboundRow): string {
  if (status === 'ignored') return 'It was let be: its sender may not use this channel, or it was not meant for us.';
  if (status === 'failed') return `It was given up after ${attempts} tries: ${reason(error)}.`;
  if (status === 'handled') return 'It was dealt with.';
  return attempts > 0 ? `It is being dealt with, try ${attempts}.` : 'It waits for its turn.';
}

function answered({ status, error }: OutboundRow): string {
  if (status === 'sent') return 'The answer was sent.';
  if (status === 'failed') return `The answer did not arrive: ${reason(error)}.`;
  return error === null ? 'The answer is on its way.' : `The answer is held up: ${reason(error)}.`;
}

const reason = (error: string | null): string =>
  error === null ? 'for no reason that was noted' : parseJson(error, Failure, 'an error').message.replace(/\.$/, '');
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
