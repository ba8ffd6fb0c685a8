import type { Bus } from '#core/bus';
import type { Store } from '#core/db/store';
import type { Service } from '#core/service';
import type { Engine } from '#workflows';

/** Wakes the step that waits for an answer of the owner. */
export function answers({
  store,
  bus,
  engine,
}: {
  readonly store: Store;
  readonly bus: Bus;
  readonly engine: Pick<Engine, 'signal'>;
}): Service {
  return {
    name: 'answers',
    async start({ signal }) {
      const wake = (id: string, option: string | null) => store.write((tx) => engine.signal(tx, `approval:${id}`, { option }));
      bus.subscribe('approval.answered', async ({ approval }) => void (await wake(approval.id, approval.answer)), signal);
      bus.subscribe('approval.expired', async ({ approval }) => void (await wake(approval.id, null)), signal);
      return { stop: async () => {} };
    },
  };
}
