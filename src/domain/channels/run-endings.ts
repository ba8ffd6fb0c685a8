import type { Bus } from '#core/bus';
import type { Store } from '#core/db/store';
import type { RunSummary } from '#runs/contract';
import { duration, shortId } from './commands/words.ts';
import type { Delivery } from './delivery.ts';
import { findInbound } from './queries.ts';

export interface RunEndingsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly delivery: Delivery;
}

/** Who started a workflow from a chat is told there how it ended. */
export function tellOfRuns({ store, bus, delivery }: RunEndingsDeps, signal: AbortSignal): void {
  bus.subscribe(
    'run.ended',
    ({ run }) =>
      store.write(async (tx) => {
        if (run.trigger.kind !== 'channel' || run.kind !== 'workflow' || run.trigger.id === undefined) return;
        const asked = await findInbound(tx, run.trigger.id);
        if (asked)
          await delivery.post(tx, {
            key: `run:${run.id}:ended`,
            text: endingText(run),
            channel: asked.channel,
            to: asked.chat,
            repeatable: true,
          });
      }),
    signal,
  );
}

function endingText({ id, title, status, outcome, error, startedAt, createdAt, endedAt }: RunSummary): string {
  const took = duration(Date.parse(endedAt ?? createdAt) - Date.parse(startedAt ?? createdAt));
  if (status === 'succeeded') return `✅ **${title}** is done${outcome ? ` (${outcome})` : ''}, in ${took}.`;
  return `❌ **${title}** ${status}${error ? `: ${error.message}` : ''}\n/why ${shortId(id)}`;
}
