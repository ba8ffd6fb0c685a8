// One life of a small agent for the kill test: opens the store, goes on with what it finds, reports each step, until it is killed.
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { migrate } from '#core/db/migration';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { openSqlite } from '#core/db/sqlite';
import { uuidv7 } from '#core/ids';
import type { Json } from '#core/json';
import { createRuns, runMigrations } from '#runs';
import type { SkillRequest, SkillResult } from '#skills/contract';
import { workflowMigrations } from '#workflows';
import { engineBed } from '#workflows/testing';

const [path, outside, runCount] = process.argv.slice(2) as [string, string, string];
const clock = systemClock;
const newId = uuidv7();
const store = openSqlite(path);
await migrate(store, [...queueMigrations, ...runMigrations, ...workflowMigrations]);
const bus = createBus((_, error) => {
  throw error;
});
const queue = createLocalQueue({ store, clock, newId, onError: (_, error) => process.stderr.write(`${error.stack}\n`) });
const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 365, perWorkflow: 1e6 }) });

async function call(method: 'GET' | 'POST', what: string): Promise<{ readonly status: number; readonly body: Json }> {
  const response = await fetch(`${outside}/${what}`, { method });
  return { status: response.status, body: (await response.json()) as Json };
}

/** Posts to the other side as an effect of the kind its config names; then hands its input on, one larger. */
async function post({ run, step, config, input, signal }: SkillRequest): Promise<SkillResult> {
  const { how } = config as { how: 'idempotent' | 'verified' | 'blind' };
  await runs.effects.perform(
    { runId: run.id, step, dryRun: false },
    {
      name: 'post',
      kind: 'http.post',
      target: outside,
      class: 'irreversible',
      intent: null,
      idempotent: how === 'idempotent',
      ...(how === 'verified' && {
        verify: async (key: string) => {
          const { status, body } = await call('GET', `done/${key}`);
          return status === 200 ? body : 'not_done';
        },
      }),
      perform: async (key) => (await call('POST', `${how}/${key}`)).body,
    },
    signal,
  );
  return { outcome: 'ok', output: Number(input) + 1 };
}
const { workflows, engine } = engineBed({
  store,
  bus,
  clock,
  newId,
  queue,
  runs,
  concurrency: 4,
  mostInterruptions: Infinity,
  // here it is not the step that kills us
  skills: { run: async (request) => (request.skill === 'post' ? post(request) : { outcome: 'ok', output: Number(request.input) + 1 }) },
  ask: async (_tx, { details }) => `ask:${String((details as { key?: string }).key)}`,
  deferred: {
    count: async (tx, data) =>
      void (await tx
        .insertInto('core_outbox')
        .values({ id: newId(), name: 'x', payload: String(data), at: 0 })
        .execute()),
  },
  onCrash: (id, error) => process.stderr.write(`${id} ${error.stack}\n`),
});

if ((await workflows.list({ limit: 1 })).items.length === 0) {
  const how = ['idempotent', 'verified', 'idempotent', 'verified', 'blind'] as const;
  const steps = Array.from({ length: 10 }, (_, i) =>
    i % 2 === 1 ? { id: `s${i}`, skill: 'post', config: { how: how[(i - 1) / 2]! } } : { id: `s${i}`, skill: 'plain' },
  );
  const workflow = await workflows.create({ name: 'torture', concurrency: 'allow', steps }, { enabled: true, by: 'owner' });
  await store.write(async (tx) => {
    for (let i = 0; i < Number(runCount); i += 1) await engine.start(tx, workflow, { trigger: { kind: 'owner' }, input: 0 });
  });
}

const life = new AbortController();
bus.subscribe('step.changed', ({ path: step, status }) => void process.stdout.write(`${step} ${status}\n`), life.signal);
await engine.service.start({
  signal: life.signal,
  exit: (cause) => {
    throw cause ?? new Error('ended');
  },
});
process.stdout.write('ready\n');
for (;;) {
  await clock.sleep(20);
  const { items } = await runs.list({ limit: 500 });
  if (items.every(({ status }) => status === 'succeeded' || status === 'waiting' || status === 'failed')) break;
}
process.stdout.write('all done\n');
process.exit(0);
