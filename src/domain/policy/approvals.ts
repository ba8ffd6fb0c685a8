import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Outbox } from '#core/db/outbox';
import type { JobQueue } from '#core/db/queue';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { parseJson, type Json } from '#core/json';
import type { Service } from '#core/service';
import { codeFrom, matchOption, readAnswer } from './codes.ts';
import { ApprovalOption, needsFactor, type Approval, type ApprovalStatus } from './contract.ts';
import {
  endApproval,
  findApproval,
  findApprovals,
  findByCode,
  insertApproval,
  isCodeTaken,
  pendingOfRun,
  type ApprovalRow,
} from './queries.ts';

const QUEUE = 'approvals.expire';

export interface NewApproval {
  /** One approval per id: a step that asks again after a crash gets the question that is already there. */
  readonly id?: string;
  /** The question of this id may be asked anew once it has ended: then it gets an id of its own. */
  readonly renew?: boolean;
  readonly runId?: string | null;
  readonly step?: string | null;
  readonly kind: string;
  readonly title: string;
  readonly question: string;
  readonly details?: Json;
  readonly options: readonly ApprovalOption[];
  /** Milliseconds since the epoch; null waits for ever. */
  readonly expiresAt: number | null;
}

/** Who answers and by what way; see `Approval.answeredBy` and `Approval.via`. */
export interface Answering {
  readonly by: string;
  readonly via: string;
  readonly note?: string | undefined;
  /** Resolves when the answer came with a fresh second factor, else throws; the kind `second_factor` is refused without. */
  readonly verifyFactor?: (() => Promise<void>) | undefined;
}

export interface ApprovalsDeps {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  /** What follows from an answer, in its transaction; the name of what was made goes into the audit. */
  readonly settle?: (tx: Db, approval: Approval, by: string) => Promise<string | null>;
  readonly random?: (bytes: number) => Uint8Array;
}

/** Durable questions to the owner. */
export interface Approvals {
  /** Inside `store.write`, with the state of whoever waits for it. */
  ask(tx: Db, approval: NewApproval): Promise<Approval>;
  /**
   * Throws `policy.no_approval`, `policy.already_answered` (names who and what), `policy.approval_expired`,
   * `policy.approval_withdrawn`, `policy.unknown_option`, `policy.not_eligible`, `policy.factor_needed`,
   * and what `verifyFactor` throws.
   */
  answer(id: string, option: string, answering: Answering): Promise<Approval>;
  /** Reads a text of a channel as an answer ("yes K7QF"); null when it is none. Throws as `answer` does. */
  answerText(text: string, answering: Answering): Promise<Approval | null>;
  /** Nobody needs the answer any more; one that has ended stays as it is. */
  withdraw(tx: Db, id: string): Promise<void>;
  withdrawAll(tx: Db, runId: string): Promise<void>;
  /** How many questions of a run are open. */
  countPending(tx: Db, runId: string): Promise<number>;
  get(id: string): Promise<Approval>;
  list(query: {
    status?: ApprovalStatus | undefined;
    run?: string | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<{ items: Approval[]; next: string | null }>;
  /** Ends what nobody answered in time. */
  readonly service: Service;
}

export function createApprovals({ store, outbox, queue, clock, newId, audit, settle, random = randomBytes }: ApprovalsDeps): Approvals {
  const expiryOf = (id: string): string => `approval-expiry:${id}`;

  async function freeCode(tx: Db): Promise<string> {
    for (;;) {
      const code = codeFrom(random(4));
      if (!(await isCodeTaken(tx, code))) return code;
    }
  }

  async function ask(tx: Db, approval: NewApproval): Promise<Approval> {
    const { expiresAt, renew = false } = approval;
    let id = approval.id ?? newId();
    for (let again = 2, there = await findApproval(tx, id); there; there = await findApproval(tx, id), again += 1) {
      if (!renew || there.status === 'pending') return toApproval(there);
      id = `${approval.id}~${again}`;
    }
    const ids = approval.options.map((option) => ApprovalOption.parse(option).id);
    if (ids.length === 0 || new Set(ids).size < ids.length)
      throw new Error(`The options of an approval need ids of their own: ${ids.join(', ')}`);
    const row: ApprovalRow = {
      id,
      code: await freeCode(tx),
      run_id: approval.runId ?? null,
      step: approval.step ?? null,
      kind: approval.kind,
      title: approval.title,
      question: approval.question,
      details: JSON.stringify(approval.details ?? null),
      options: JSON.stringify(approval.options),
      status: 'pending',
      answer: null,
      note: null,
      answered_by: null,
      via: null,
      created_at: clock.now(),
      expires_at: expiresAt,
      ended_at: null,
    };
    await insertApproval(tx, row);
    if (expiresAt !== null) await queue.add(tx, { queue: QUEUE, id: expiryOf(id), payload: { id }, runAt: expiresAt });
    const asked = toApproval(row);
    await remember(tx, asked, 'policy.ask');
    await outbox.add(tx, 'approval.asked', { approval: asked });
    return asked;
  }

  async function load(db: Db, id: string): Promise<ApprovalRow> {
    const row = await findApproval(db, id);
    if (!row)
      throw new AppError('not_found', 'policy.no_approval', 'No such question: list those that wait with "castellan approvals list"', {
        id,
      });
    return row;
  }

  async function answer(id: string, wanted: string, answering: Answering): Promise<Approval> {
    const { by, via, note, verifyFactor } = answering;
    const approval = toApproval(await load(store.db, id));
    assertOpen(approval, clock.now());
    if (by.startsWith('run:'))
      throw new AppError('forbidden', 'policy.not_eligible', 'A run cannot answer a question to the owner', { by });
    const option = matchOption(approval.options, wanted);
    if (!option)
      throw new AppError(
        'invalid',
        'policy.unknown_option',
        `option: choose one of ${approval.options.map((each) => each.id).join(', ')}`,
        { options: approval.options },
      );
    if (needsFactor(approval, option)) {
      if (!verifyFactor)
        throw new AppError(
          'forbidden',
          'policy.factor_needed',
          'This answer needs your second factor: give it in the browser or with "castellan approvals answer"',
        );
      await verifyFactor();
    }
    return store.write(async (tx) => {
      const now = clock.now();
      const won = await endApproval(
        tx,
        id,
        { status: 'answered', answer: option.id, note: note ?? null, answered_by: by, via, ended_at: now },
        now,
      );
      const after = toApproval(await load(tx, id));
      if (!won) {
        assertOpen(after, now);
        throw new Error(`The approval ${id} can be neither answered nor refused`);
      }
      await queue.remove(tx, QUEUE, expiryOf(id));
      const made = (await settle?.(tx, after, by)) ?? null;
      await audit.record(
        {
          actor: by,
          action: 'policy.answer',
          resource: `approval:${id}`,
          decision: option.style === 'danger' ? 'deny' : 'allow',
          details: { option: option.id, via, kind: after.kind, runId: after.runId, step: after.step, ...(made && { made }) },
        },
        tx,
      );
      await outbox.add(tx, 'approval.answered', { approval: after });
      return after;
    });
  }

  async function withdrawRow(tx: Db, id: string): Promise<void> {
    if (!(await endApproval(tx, id, { status: 'withdrawn', ended_at: clock.now() }))) return;
    await queue.remove(tx, QUEUE, expiryOf(id));
    const withdrawn = toApproval(await load(tx, id));
    await remember(tx, withdrawn, 'policy.withdraw');
    await outbox.add(tx, 'approval.withdrawn', { approval: withdrawn });
  }

  async function remember(tx: Db, { id, kind, title, runId, step }: Approval, action: 'policy.ask' | 'policy.withdraw'): Promise<void> {
    const actor = runId === null ? 'system' : `run:${runId}`;
    const decision = action === 'policy.ask' ? { decision: 'ask' as const } : {};
    await audit.record({ actor, action, resource: `approval:${id}`, ...decision, details: { kind, title, step } }, tx);
  }

  return {
    ask,
    answer,

    async answerText(text, answering) {
      for (const { code, option } of readAnswer(text)) {
        const row = await findByCode(store.db, code);
        if (row && matchOption(toApproval(row).options, option)) return answer(row.id, option, answering);
      }
      return null;
    },

    async withdraw(tx, id) {
      await load(tx, id);
      await withdrawRow(tx, id);
    },

    async withdrawAll(tx, runId) {
      for (const row of await pendingOfRun(tx, runId)) await withdrawRow(tx, row.id);
    },

    countPending: async (tx, runId) => (await pendingOfRun(tx, runId)).length,

    get: async (id) => toApproval(await load(store.db, id)),

    async list({ limit, cursor, ...filter }) {
      const rows = await findApprovals(store.db, filter, limit + 1, cursor);
      const items = rows.slice(0, limit).map(toApproval);
      return { items, next: rows.length > limit ? items.at(-1)!.id : null };
    },

    service: queue.worker(
      QUEUE,
      { concurrency: 1, maxAttempts: 10, backoffMs: (attempt) => Math.min(60_000, 1_000 * 2 ** attempt) },
      async (job, { done }) => {
        const { id } = Expiry.parse(job.payload);
        await store.write(async (tx) => {
          if (await endApproval(tx, id, { status: 'expired', ended_at: clock.now() })) {
            const approval = toApproval(await load(tx, id));
            await audit.record(
              {
                actor: 'system',
                action: 'policy.expire',
                resource: `approval:${id}`,
                decision: 'deny',
                details: { kind: approval.kind, runId: approval.runId },
              },
              tx,
            );
            await outbox.add(tx, 'approval.expired', { approval });
          }
          await done(tx);
        });
      },
    ),
  };
}

const Expiry = z.object({ id: z.string() });

function assertOpen(approval: Approval, now: number): void {
  const { id, status, answer, answeredBy, via, endedAt, expiresAt } = approval;
  if (status === 'answered')
    throw new AppError('conflict', 'policy.already_answered', `Already answered: ${answer} by ${answeredBy} via ${via}`, {
      id,
      answer,
      answeredBy,
      via,
      answeredAt: endedAt,
    });
  if (status === 'withdrawn')
    throw new AppError('conflict', 'policy.approval_withdrawn', 'This question was withdrawn: nothing waits for it any more', { id });
  if (status === 'expired' || (expiresAt !== null && Date.parse(expiresAt) <= now))
    throw new AppError('conflict', 'policy.approval_expired', `The time to answer was over at ${expiresAt}`, { id, expiresAt });
}

function toApproval(row: ApprovalRow): Approval {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: row.id,
    code: row.code,
    runId: row.run_id,
    step: row.step,
    kind: row.kind,
    title: row.title,
    question: row.question,
    details: JSON.parse(row.details) as Json,
    options: parseJson(row.options, z.array(ApprovalOption), `options of approval ${row.id}`),
    status: row.status,
    answer: row.answer,
    note: row.note,
    answeredBy: row.answered_by,
    via: row.via,
    createdAt: iso(row.created_at)!,
    expiresAt: iso(row.expires_at),
    endedAt: iso(row.ended_at),
  };
}
