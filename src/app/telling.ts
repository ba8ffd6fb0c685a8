import type { Bus } from '#core/bus';
import type { Service } from '#core/service';
import type { Notice } from '#notifications';

/** Turns what happens into words to the owner: breakers, and runs that nobody was watching. */
export function telling(bus: Bus, tell: (notice: Notice) => Promise<void>): Service {
  return {
    name: 'telling',
    async start({ signal }) {
      bus.subscribe(
        'breaker.changed',
        ({ key, state, failures, until, error }) => {
          const name = key.replace(':', ' ');
          if (state === 'open')
            return tell({
              key: `breaker:${key}`,
              severity: 'warning',
              title: `The ${name} rests`,
              body: `It failed ${failures} times in a row (${error ?? 'no reason was given'}) and is left alone until ${new Date(until ?? 0).toISOString()}.`,
            });
          if (state === 'closed')
            return tell({
              key: `breaker:${key}:well`,
              severity: 'info',
              title: `The ${name} works again`,
              body: 'It answered; calls go through.',
            });
        },
        signal,
      );
      bus.subscribe(
        'run.ended',
        ({ run }) => {
          const unwatched = ['cron', 'interval', 'once', 'webhook', 'event'].includes(run.trigger.kind);
          if (run.status === 'failed' && unwatched)
            return tell({
              key: `run.failed:${run.workflowId}`,
              severity: 'warning',
              title: `${run.title} failed`,
              body: run.error?.message ?? 'No reason was given.',
              link: `/runs/${run.id}`,
            });
        },
        signal,
      );
      return { stop: async () => {} };
    },
  };
}
