import { z } from 'zod';
import type { Agents } from '#agents';
import type { Runs } from '#runs';
import type { RunSummary } from '#runs/contract';

const TurnInput = z.object({ conversationId: z.string() });

/** Cancels a run that is a turn through its conversation, which owns it; null when the run is of another kind. */
export function turnCanceller(runs: Runs, { turns }: Agents): (runId: string) => Promise<RunSummary | null> {
  return async (runId) => {
    const run = await runs.detail(runId);
    const input = run.kind === 'turn' ? TurnInput.safeParse(run.input) : null;
    if (!input?.success) return null;
    await turns.cancel(input.data.conversationId, runId);
    return runs.get(runId);
  };
}
