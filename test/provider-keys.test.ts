import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startFakeLlm, type FakeLlm, type FakeRequest, type Reply } from '#llm/testing';
import { getRun, isOver, listRuns, type RunDetail } from '#runs/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

/** Of no shape that a scanner could know: only that it is in the vault betrays it. */
const KEY = 'Quiet-Otter-77-Lamp-Brick-041';
const WORDS = 'A quiet morning, says the model.';
const USAGE = { input: 20_000, output: 1_000 };

/** Scores every item it is shown, and writes the briefing. */
function answer({ prompt, schema, forced }: FakeRequest): Reply {
  if (!schema && !forced) return { text: prompt.includes("Write the owner's morning briefing") ? WORDS : 'Noted.', usage: USAGE };
  const scores = [...prompt.matchAll(/^\[(\d+)\]/gm)].map(([, index]) => ({ index: Number(index), score: 0.9, reason: 'new' }));
  return schema ? { text: JSON.stringify({ scores }) } : { toolCalls: [{ name: forced!.name, input: { scores } }] };
}

async function firstRun({ client }: Agent): Promise<RunDetail> {
  const { items } = await eventually(
    () => client.call(listRuns, {}),
    (list) => list.items.length > 0 && list.items.every(({ status }) => isOver(status)),
  );
  return client.call(getRun, { id: items[0]!.id });
}

/** Where in a folder the text is, plain or as base64, in files of any kind. */
async function findText(folderPath: string, text: string): Promise<string[]> {
  const forms = [text, Buffer.from(text).toString('base64').replace(/=+$/, ''), encodeURIComponent(text)];
  const found: string[] = [];
  for (const name of await readdir(folderPath, { recursive: true })) {
    const path = join(folderPath, name);
    const bytes = await readFile(path).catch(() => null); // a folder, or a draft that has taken its place meanwhile
    if (bytes === null) continue;
    if (forms.some((form) => bytes.includes(form))) found.push(name);
  }
  return found;
}

/** What every endpoint that takes nothing answers, in one text. */
async function everythingSaid({ url, token }: Agent, runs: readonly string[]): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const contract = (await (await fetch(`${url}/api/openapi.json`, { headers })).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const paths = Object.entries(contract.paths)
    .filter(([path, methods]) => 'get' in methods && !path.includes('{') && path !== '/api/events')
    .map(([path]) => path);
  assert.ok(paths.length > 15, String(paths));
  const texts = await Promise.all(
    [...paths, ...runs.flatMap((id) => [`/api/runs/${id}`, `/api/explain/${id}`])].map(async (path) =>
      (await fetch(url + path, { headers })).text(),
    ),
  );
  return texts.join('\n');
}

const VENDORS = {
  anthropic: (url: string) => ({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: url }),
  google: (url: string) => ({ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url }),
  openai: (url: string) => ({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${url}/v1` }),
};

describe('a key in the environment of the first start', { concurrency: 2 }, () => {
  for (const [vendor, environment] of Object.entries(VENDORS)) {
    it(`of ${vendor}: the model writes the briefing, the cost is booked, and the key is nowhere`, async () => {
      await using home = await folder();
      await using fake: FakeLlm = await startFakeLlm({ script: answer });
      await using agent = await startAgent({ home: home.path, env: environment(fake.url) });
      const run = await firstRun(agent);
      assert.deepEqual([run.status, run.output], ['succeeded', WORDS], JSON.stringify(run.journal));
      const paid = run.steps.map(({ path, costUsd }) => [path, costUsd > 0]);
      assert.deepEqual(paid, [
        ['fetch', false],
        ['score', true],
        ['write', true],
        ['send', false],
      ]);
      assert.ok(
        run.costUsd > 0.01 && Math.abs(run.costUsd - run.steps.reduce((sum, { costUsd }) => sum + costUsd, 0)) < 1e-9,
        String(run.costUsd),
      );
      const talks = () => fake.requests.filter(({ path }) => !/embed/i.test(path));
      assert.deepEqual(
        fake.requests.map(({ key }) => key),
        fake.requests.map(() => KEY),
      );
      assert.equal(talks().length, 2);

      // somebody pastes the key into a run: the model must not read it, nor may it stay
      const { name } = await agent.client.call(createWorkflow, {
        definition: { name: 'echo', steps: [{ id: 'say', skill: 'llm_transform', prompt: 'Repeat: {{ input }}' }] },
      });
      const { id } = await agent.client.call(startRun, { id: name, input: `my key is ${KEY}, keep it` });
      const echoed = await eventually(
        () => agent.client.call(getRun, { id }),
        ({ status }) => isOver(status),
      );
      assert.equal(echoed.status, 'succeeded');
      assert.equal(talks().length, 3, JSON.stringify(echoed.journal));
      assert.match(talks()[2]!.prompt, /my key is (?!Quiet).+, keep it/);

      assert.ok(!JSON.stringify(fake.requests.map(({ body, path }) => [body, path])).includes(KEY));
      assert.ok(!(await everythingSaid(agent, [run.id, id])).includes(KEY));
      assert.deepEqual(await findText(home.path, KEY), []);
      await agent.stop();
      assert.deepEqual(await findText(home.path, KEY), []);
      assert.ok(!(agent.said() + agent.log()).includes(KEY));
    });
  }

  it('whose provider is down: the briefing is written without a model, and the journal says why', async () => {
    await using home = await folder();
    const fake = await startFakeLlm();
    await fake.close();
    await using agent = await startAgent({ home: home.path, env: VENDORS.anthropic(fake.url) });
    const run = await firstRun(agent);
    assert.equal(run.status, 'succeeded');
    assert.match(String(run.output), /offline/);
    const hops = run.journal.filter(({ type }) => type === 'llm.hop');
    assert.deepEqual(
      hops.map(({ step, data }) => [step, (data as { provider: string }).provider]),
      [
        ['score', 'Claude Haiku'],
        ['write', 'Claude Sonnet'],
      ],
    );
    for (const { data } of hops) assert.ok(!JSON.stringify(data).includes(KEY) && (data as { reason: string }).reason !== '');
  });
});
