import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import type { Channels } from '#channels';
import type { Owner } from '#owner';
import type { Approvals } from '#policy';
import type { Runs } from '#runs';
import type { EngineDeps, Question } from '#workflows';

export interface AskingDeps {
  readonly store: Store;
  readonly approvals: Pick<Approvals, 'ask' | 'countPending'>;
  readonly runs: Pick<Runs, 'journal' | 'labelPaths'>;
  readonly channels: () => Pick<Channels, 'reach'>;
  readonly owner: { readonly sessions: Pick<Owner['sessions'], 'list'> };
  readonly onError: (error: unknown) => void;
}

/** So many questions of policy may a run have open: text from outside must not bury the owner in them. */
const MOST_OPEN = 20;

/**
 * A run's question to the owner, shown wherever the owner can be reached; where that is nowhere, the run says so at once. A question of policy
 * shows the way the text took to get there.
 */
export function asking({ store, approvals, runs, channels, owner, onError }: AskingDeps): EngineDeps['ask'] {
  async function reportNoRoute({ runId, step, options }: Question, code: string): Promise<void> {
    if ((await channels().reach()) + (await owner.sessions.list()).length > 0) return;
    await runs.journal(runId, 'approval.no_route', step, {
      code,
      message: `Nobody can be asked: no channel is paired and no browser is logged in. Answer on the machine with: castellan approvals answer ${code} ${options[0]!.id}`,
    });
  }

  async function detailsOf({ kind, details, runId, step }: Question, tx: Db): Promise<Json> {
    if (kind !== 'policy') return details;
    return {
      ...(details as Readonly<Record<string, Json>>),
      path: JSON.parse(JSON.stringify(await runs.labelPaths(runId, step, tx))) as Json,
    };
  }

  async function assertRoom({ kind, runId, details }: Question, tx: Db): Promise<void> {
    if (kind !== 'policy' || (await approvals.countPending(tx, runId)) < MOST_OPEN) return;
    const { capability, resource } = details as { readonly capability: string; readonly resource: string };
    throw new AppError(
      'limited',
      'policy.too_many_questions',
      `This run has ${MOST_OPEN} questions open; ${capability} on ${resource} was not asked about and counts as refused`,
      { capability, resource },
    );
  }

  return async (tx, question) => {
    await assertRoom(question, tx);
    const approval = await approvals.ask(tx, {
      ...question,
      details: await detailsOf(question, tx),
      renew: question.kind === 'policy',
      options: question.options.map((it, at) => ({ ...it, style: at === 0 ? 'primary' : it.id === 'no' ? 'danger' : 'neutral' })),
    });
    store.onCommit(() => void reportNoRoute(question, approval.code).catch(onError));
    return approval.id;
  };
}
