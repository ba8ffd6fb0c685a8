import { AppError } from '#core/errors';
import type { RunSummary } from '#runs/contract';
import type { CommandPorts } from '../command.ts';
import { shortId } from './words.ts';

/** How many of the newest runs a short id is looked for in. */
const NEWEST = 500;

/** The run of this id, or the one recent run whose id ends or begins so. Throws `channel.no_run`, `channel.ambiguous`. */
export async function findRun(runs: CommandPorts['runs'], wanted: string): Promise<RunSummary> {
  const id = wanted.toLowerCase();
  const { items } = await runs.list({ limit: NEWEST });
  const found = items.filter((run) => run.id === id || run.id.endsWith(id) || run.id.startsWith(id));
  const exact = found.find((run) => run.id === id) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  if (found.length === 0)
    throw new AppError('not_found', 'channel.no_run', `There is no run ${wanted}. /runs lists them.`, { run: wanted });
  throw new AppError(
    'invalid',
    'channel.ambiguous',
    `Several runs are like ${wanted}: ${found
      .slice(0, 5)
      .map((run) => shortId(run.id))
      .join(', ')}`,
    { run: wanted },
  );
}
