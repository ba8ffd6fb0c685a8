// A run that may not spend enough asks the owner, and goes on when the owner allows it: the whole agent, a provider's real protocol.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startFakeLlm } from '#llm/testing';
import { answerApproval, listApprovals } from '#policy/contract';
import { getRun, isOver } from '#runs/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent } from './agent.ts';

it('over budget, with no model of a cheaper tier and offline forbidden: nothing is spent until the owner says so', async () => {
  await using home = await folder();
  await using fake = await startFakeLlm({ script: () => ({ text: 'worth it', usage: { input: 1_000, output: 100 } }) });
  await using agent = await startAgent({ home: home.path, env: { ANTHROPIC_API_KEY: 'sk-test-budget-key', ANTHROPIC_BASE_URL: fake.url } });
  const { client } = agent;
  const workflow = await client.call(createWorkflow, {
    definition: {
      name: 'dear',
      budget: { perRunUsd: 0.001 },
      steps: [
        {
          id: 'think',
          skill: 'llm_transform',
          tier: 'light',
          prompt: 'Think about {{ input }}',
          allowOffline: false,
          config: { maxOutputTokens: 4_000 },
        },
      ],
    },
    enabled: true,
  });
  const talks = () => fake.requests.filter(({ prompt }) => prompt.includes('Think about')).length;
  const run = await client.call(startRun, { id: workflow.id, input: 'castles' });
  const [question] = (
    await eventually(
      () => client.call(listApprovals, { status: 'pending', run: run.id }),
      ({ items }) => items.length > 0,
    )
  ).items;
  assert.deepEqual([question?.kind, talks(), (await client.call(getRun, { id: run.id })).status], ['budget', 0, 'waiting']);
  await client.call(answerApproval, { id: question!.id, option: 'raise' });
  const ended = await eventually(
    () => client.call(getRun, { id: run.id }),
    ({ status }) => isOver(status) || status === 'waiting',
  );
  // as much again may still be too little for the call's worst case: then it asks once more, and never spends unasked
  assert.ok(ended.status === 'succeeded' ? talks() === 1 && ended.costUsd > 0 : talks() === 0);
});
