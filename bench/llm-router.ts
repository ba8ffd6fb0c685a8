import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { migrate } from '#core/db/migration';
import { openSqlite } from '#core/db/sqlite';
import { uuidv7 } from '#core/ids';
import { secret } from '#core/secret';
import { createLlm, llmMigrations, providerKinds, type Llm } from '#llm';
import { startFakeLlm } from '#llm/testing';
import type { ProviderClient } from '#llm/contract';
import { fixedSettings } from '#settings/testing';

const MODEL = 'claude-haiku-4-5';
const CHUNKS = 500;

/** The router's own time: each call beside the same call through the kind's client alone, on the same fake server. */
export default {
  name: 'LLM router overhead per call',
  goal: 'at most 1 ms per call, its two durable writes included; at most 0.02 ms per streamed chunk',

  async run({ quick }: { quick: boolean }) {
    const home = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
    const store = openSqlite(join(home, 'bench.db'));
    await using fake = await startFakeLlm({
      script: (request) => ({
        text: 'word '.repeat(request.prompt === 'long' ? CHUNKS : 4),
        chunks: request.prompt === 'long' ? CHUNKS : 4,
      }),
    });
    try {
      await migrate(store, llmMigrations);
      await store.write((tx) => sql`create table bench_write (step integer not null) strict`.execute(tx));
      const llm = createLlm({
        store,
        clock: systemClock,
        newId: uuidv7(),
        bus: createBus(() => {}),
        settings: fixedSettings(),
        secrets: { resolve: async () => secret('key'), fill: async (text) => secret(text) },
        kinds: providerKinds,
        scanner: { redact: (text) => text.replaceAll('hunter2', '[secret:pw]') },
        tell: () => {},
        onError: (_what, error) => {
          throw error;
        },
      });
      await llm.add({ name: 'Fake', kind: 'anthropic', baseUrl: fake.url, model: MODEL, tiers: ['light'], secret: '@secret:key' });
      for (const scope of ['day', 'month'] as const) await llm.setBudget(scope, '', null);
      const kind = providerKinds.find((it) => it.id === 'anthropic')!;
      const client = await kind.open({ baseUrl: fake.url, apiKey: secret('key'), headers: {}, timeoutMs: 60_000 });

      const twoWrites = async (): Promise<void> => {
        for (const step of [1, 2]) await store.write((tx) => sql`insert into bench_write (step) values (${step})`.execute(tx));
      };
      const short = await compare(client, llm, 'short', quick ? 60 : 300, twoWrites);
      const long = await compare(client, llm, 'long', quick ? 6 : 30, twoWrites);
      return {
        baseline: short.direct,
        value: short.routed - short.direct,
        unit: 'ms',
        ratio: short.routed / short.direct,
        // What is left when the disk's own time for two bare writes, measured between the calls, is taken off.
        extra: {
          withoutDiskMs: short.routed - short.direct - short.writes,
          twoWritesMs: short.writes,
          chunkMs: (long.routed - long.direct - (short.routed - short.direct)) / CHUNKS,
          streamOf500: { direct: long.direct, routed: long.routed },
        },
      };
    } finally {
      await store.close();
      await rm(home, { recursive: true });
    }
  },
};

/** Medians in ms, all taken in turn so that they see the same machine. */
async function compare(
  client: ProviderClient,
  llm: Llm,
  prompt: string,
  rounds: number,
  twoWrites: () => Promise<void>,
): Promise<{ direct: number; routed: number; writes: number }> {
  const times = { direct: [] as number[], routed: [] as number[], writes: [] as number[] };
  for (let round = 0; round < rounds + 10; round += 1) {
    const signal = AbortSignal.timeout(60_000);
    const direct = await time(() =>
      drain(
        client.stream({
          model: MODEL,
          messages: [{ role: 'user', parts: [{ type: 'text', text: prompt }] }],
          maxOutputTokens: 4_096,
          signal,
        }),
      ),
    );
    const routed = await time(() => drain(llm.scoped({ purpose: 'bench' }).stream({ prompt, signal })));
    const writes = await time(twoWrites);
    if (round < 10) continue; // warming up
    times.direct.push(direct);
    times.routed.push(routed);
    times.writes.push(writes);
  }
  return { direct: median(times.direct), routed: median(times.routed), writes: median(times.writes) };
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of stream);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
