import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Service } from '#core/service';
import type { ProviderPatch } from './api.ts';
import { describeFailure } from './attempt.ts';
import type { Failure, HealthBook } from './health.ts';
import type { Providers } from './providers.ts';
import type { Locality } from './reach.ts';
import { pickModels, probeModels } from './seeds.ts';
import type { HealthRow } from './tables.ts';

const TICK_MS = 5_000;
const RETEST_LIMIT_MS = 10_000;
const PROBE_LIMIT_MS = 300;

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly providers: Providers;
  readonly health: HealthBook;
  readonly locality: Locality;
  /** Reads the tables anew and books what a dead process left open. */
  readonly load: () => Promise<void>;
  readonly change: (id: string, patch: ProviderPatch) => Promise<unknown>;
  readonly reset: (id: string) => Promise<void>;
  /** Stores a change of health, and tells of it. */
  readonly keep: (row: HealthRow | null) => Promise<void>;
  readonly tidy: () => void;
  readonly onError: (what: string, error: unknown) => void;
}

/** The service behind the router: loads it, re-tests unhealthy providers, looks for local servers, hears of changed secrets. */
export function createUpkeep({ clock, bus, providers, health, locality, load, change, reset, keep, tidy, onError }: UpkeepDeps): Service {
  /** Asks the endpoint for its models: costs nothing, and says whether it is there and takes the key. */
  async function retest({ provider_id: id, reason }: HealthRow, signal: AbortSignal): Promise<void> {
    const provider = providers.all().find((it) => it.id === id);
    if (!provider?.enabled) return;
    providers.close(id);
    let failure: Failure | null = null;
    try {
      const names = await (await providers.client(provider)).models(AbortSignal.any([signal, AbortSignal.timeout(RETEST_LIMIT_MS)]));
      if (reason === 'model_missing' && !names.some((it) => it === provider.model || it.endsWith(`/${provider.model}`)))
        failure = { reason, message: `${provider.model} is still not offered` };
    } catch (thrown) {
      if (signal.aborted) return;
      const described = describeFailure(thrown);
      // An endpoint without a list of models is there all the same.
      if (described.reason !== 'protocol' && described.reason !== 'bad_request')
        failure = described.reason === 'cancelled' ? { reason: 'timeout', message: 'No answer in time' } : described;
    }
    await keep(health.retested(id, failure, clock.now()));
  }

  /** Seeded local rows that never answered: one that does is enabled, with the model it lists. */
  async function detect(signal: AbortSignal): Promise<void> {
    const unknown = providers
      .all()
      .filter(
        (it) => !it.enabled && it.model === '' && it.baseUrl !== null && it.createdAt === it.updatedAt && locality.isSurely(it.baseUrl),
      );
    await Promise.all(
      unknown.map(async (provider) => {
        const names = await probeModels(provider.baseUrl!, AbortSignal.any([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]));
        const picked = names && pickModels(names);
        if (picked && (picked.model || picked.embeddingModel) && !signal.aborted) await change(provider.id, { ...picked, enabled: true });
      }),
    );
  }

  return {
    name: 'llm',
    async start({ signal }) {
      await load();
      bus.subscribe(
        'vault.changed',
        async ({ name }) => {
          for (const { id } of providers.using(name)) {
            providers.close(id);
            await reset(id);
          }
        },
        signal,
      );
      const work = (async () => {
        await detect(signal).catch((error: unknown) => onError('looking for local models failed', error));
        while (!signal.aborted) {
          await clock.sleep(TICK_MS, signal).catch(() => {});
          if (signal.aborted) return;
          for (const row of health.due(clock.now()))
            await retest(row, signal).catch((error: unknown) => onError('a provider could not be re-tested', error));
          tidy();
        }
      })();
      return {
        stop: () => work,
        health() {
          const unwell = providers.all().filter((it) => it.enabled && health.of(it.id).state !== 'healthy');
          return {
            ok: true,
            detail: `${providers.all().filter((it) => it.enabled).length} providers enabled${unwell.length > 0 ? `; unwell: ${unwell.map((it) => it.name).join(', ')}` : ''}`,
          };
        },
      };
    },
  };
}
