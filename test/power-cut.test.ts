import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeLlm } from '#llm/testing';
import { answerApproval, listApprovals } from '#policy/contract';
import { getRun, isOver, listRuns, type RunDetail } from '#runs/contract';
import { listOccurrences, listSchedules, type Occurrence } from '#schedules/contract';
import { createWorkflow, saveWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

/** Answers the n-th request with 503 while n is below `refusals`. */
async function startShaky(refusals: number): Promise<AsyncDisposable & { readonly url: string; requests(): number }> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(requests <= refusals ? 503 : 200, { 'content-type': 'text/plain' }).end('a page at last');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

describe('kill -9 of the agent', { concurrency: 2 }, () => {
  it('in a model call, a wait, a retry, a question and right after its answer: the run goes on where it was', async () => {
    await using home = await folder();
    await using page = await startShaky(2);
    await using llm = await startFakeLlm({
      script: ({ prompt }) => ({ text: `said: ${prompt.slice(-30)}`, ...(/SLOW/.test(prompt) && { delayMs: 700 }) }),
    });
    const asked = (what: string) => llm.requests.filter(({ prompt }) => prompt.includes(what)).length;
    const env = { ANTHROPIC_API_KEY: 'not-a-key-of-anyone', ANTHROPIC_BASE_URL: llm.url };
    let agent: Agent = await startAgent({ home: home.path, env });
    try {
      await agent.client.call(createWorkflow, {
        definition: {
          name: 'long',
          steps: [
            { id: 'one', skill: 'llm_transform', tier: 'light', prompt: 'ONE {{ input }}' },
            { id: 'slow', skill: 'llm_transform', tier: 'light', prompt: 'SLOW {{ input }}' },
            { id: 'rest', wait: { forMs: 6_000 } },
            { id: 'page', skill: 'web_fetch', config: { url: page.url }, retry: { attempts: 5, backoff: 'fixed', delayMs: 2_500 } },
            { id: 'ask', approval: { question: 'Go on?' } },
            { id: 'last', skill: 'llm_transform', tier: 'light', prompt: 'LAST {{ steps.one.output }}', inputFrom: 'one' },
          ],
        },
      });
      const { id } = await agent.client.call(startRun, { id: 'long', input: 'begin' }, { idempotencyKey: 'the one' });
      const run = (): Promise<RunDetail> => agent.client.call(getRun, { id });
      const until = (isIt: (run: RunDetail) => boolean): Promise<RunDetail> => eventually(run, isIt);
      const isAt = (path: string, status: string) => (it: RunDetail) =>
        it.steps.some((step) => step.path === path && step.status === status);
      const cut = async (): Promise<void> => {
        await agent.kill();
        agent = await startAgent({ home: home.path });
      };

      await until(isAt('slow', 'running'));
      await eventually(
        async () => asked('SLOW'),
        (count) => count === 1,
      );
      await cut();
      assert.equal((await agent.client.call(startRun, { id: 'long', input: 'begin' }, { idempotencyKey: 'the one' })).id, id);
      const { steps } = await until(isAt('rest', 'waiting'));
      const wakeAt = steps.find(({ path }) => path === 'rest')!.wakeAt!;
      await cut();
      assert.equal((await run()).steps.find(({ path }) => path === 'rest')!.wakeAt, wakeAt);
      await until(({ steps: now }) => now.some(({ path, attempt }) => path === 'page' && attempt === 2));
      assert.ok(Date.now() >= Date.parse(wakeAt));
      await cut();
      const { wakeAt: none } = await until(isAt('ask', 'waiting'));
      assert.equal(none, null);
      await cut();
      const { items } = await agent.client.call(listApprovals, { run: id });
      assert.deepEqual(
        items.map(({ status, question }) => [status, question]),
        [['pending', 'Go on?']],
      );
      await agent.client.call(answerApproval, { id: items[0]!.id, option: 'approve' });
      await cut();
      await assert.rejects(agent.client.call(answerApproval, { id: items[0]!.id, option: 'reject' }), { kind: 'conflict' });

      const ended = await until(({ status }) => isOver(status));
      assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error));
      assert.deepEqual(
        ended.steps.map(({ path, status, attempt }) => [path, status, attempt]),
        [
          ['one', 'succeeded', 1],
          ['slow', 'succeeded', 1],
          ['rest', 'succeeded', 1],
          ['page', 'succeeded', 3],
          ['ask', 'succeeded', 1],
          ['last', 'succeeded', 1],
        ],
      );
      assert.equal(ended.steps[4]!.outcome, 'approve');
      // only the call that was cut off was made again
      assert.deepEqual([asked('ONE '), asked('SLOW'), asked('LAST'), page.requests()], [1, 2, 1, 3]);
      assert.equal((await agent.client.call(listRuns, { workflow: ended.workflowId! })).items.length, 1);
    } finally {
      await agent[Symbol.asyncDispose]();
    }
  });

  it('for some seconds: of what fell due meanwhile each occurrence is decided once, as its schedule says', async () => {
    await using home = await folder();
    let agent: Agent = await startAgent({ home: home.path });
    try {
      const policies = ['run_once', 'skip', 'all'] as const;
      for (const missed of policies) {
        const definition = {
          name: missed,
          concurrency: 'allow',
          triggers: [{ kind: 'interval', everyMs: 1_000, missed }],
          steps: [{ id: 'rest', wait: { forMs: 1 } }],
        };
        await agent.client.call(createWorkflow, { definition, enabled: true });
      }
      const schedules = (await agent.client.call(listSchedules, {})).items;
      const scheduleOf = (missed: string) => schedules.find((it) => it.missed === missed && it.kind === 'interval')!;
      const occurrences = async (missed: string): Promise<Occurrence[]> =>
        (await agent.client.call(listOccurrences, { id: scheduleOf(missed).id, limit: 500 })).items.toReversed();
      await eventually(
        () => occurrences('all'),
        ({ length }) => length >= 2,
      );
      await agent.kill();
      const diedAt = Date.now();
      await sleep(3_000);
      agent = await startAgent({ home: home.path });
      const upAt = Date.now();
      await eventually(
        () => occurrences('all'),
        (list) => list.filter(({ dueAt }) => Date.parse(dueAt) > upAt).length >= 2,
      );
      for (const missed of policies) await agent.client.call(saveWorkflow, { id: missed, enabled: false });

      for (const missed of policies) {
        const list = await occurrences(missed);
        const gaps = list.slice(1).map(({ dueAt }, at) => Date.parse(dueAt) - Date.parse(list[at]!.dueAt));
        assert.deepEqual(new Set(gaps), new Set([1_000]), `${missed}: ${JSON.stringify(gaps)}`);
        const runs = (await agent.client.call(listRuns, { workflow: scheduleOf(missed).workflowId, limit: 100 })).items;
        const started = list.filter(({ runId }) => runId !== null);
        assert.deepEqual(runs.map(({ id }) => id).toSorted(), started.map(({ runId }) => runId!).toSorted());
        assert.deepEqual(runs.map(({ trigger }) => trigger.id!).toSorted(), started.map(({ id }) => id).toSorted());

        // those that a later one had already overtaken when the agent came back
        const overtaken = list.filter(({ dueAt }) => Date.parse(dueAt) > diedAt + 200 && Date.parse(dueAt) < diedAt + 2_000);
        assert.ok(overtaken.length >= 1);
        const wanted = { run_once: 'missed_merged', skip: 'missed_skipped', all: 'late' }[missed];
        assert.deepEqual(
          overtaken.map(({ status }) => status),
          overtaken.map(() => wanted),
          missed,
        );
        assert.ok(overtaken.every(({ runId }) => (runId !== null) === (missed === 'all')));
      }
    } finally {
      await agent[Symbol.asyncDispose]();
    }
  });
});
