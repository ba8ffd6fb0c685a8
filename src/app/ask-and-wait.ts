import type { Bus } from '#core/bus';
import type { Store } from '#core/db/store';
import type { SkillToolsDeps } from '#agents';
import type { Approval } from '#policy/contract';
import type { EngineDeps } from '#workflows';

/** Asks the owner and stays for the answer: for a turn, which has no steps to go to sleep in. The question is withdrawn when the turn ends first. */
export function askAndWait({
  store,
  bus,
  ask,
  withdraw,
}: {
  readonly store: Store;
  readonly bus: Bus;
  readonly ask: EngineDeps['ask'];
  readonly withdraw: EngineDeps['withdraw'];
}): SkillToolsDeps['ask'] {
  return async (question, signal) => {
    const ended = new AbortController();
    const answers = new Map<string, string | null>();
    const waiting = { id: null as string | null, ...Promise.withResolvers<string | null>() };
    const hear = ({ approval: { id, answer } }: { readonly approval: Approval }): void => {
      answers.set(id, answer);
      if (id === waiting.id) waiting.resolve(answer);
    };
    for (const event of ['approval.answered', 'approval.expired', 'approval.withdrawn'] as const) bus.subscribe(event, hear, ended.signal);
    const stop = (): void => waiting.reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      waiting.id = await store.write((tx) => ask(tx, question));
      if (answers.has(waiting.id)) return answers.get(waiting.id)!;
      return await waiting.promise;
    } catch (error) {
      const { id } = waiting;
      if (id !== null) await store.write((tx) => withdraw(tx, id));
      throw error;
    } finally {
      waiting.promise.catch(() => {});
      signal.removeEventListener('abort', stop);
      ended.abort();
    }
  };
}
