// What policy asks about, from a whole agent: a run that nobody can be asked about says so, the answer outlives a kill, and nothing is sent twice.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '#audit/contract';
import { answerApproval, createPolicyGrant, explainPolicy, listApprovals, listPolicyGrants, revokePolicyGrant } from '#policy/contract';
import { createToken } from '#owner/contract';
import { cancelRun, explainRun, getRun, listRuns } from '#runs/contract';
import { runSkill } from '#skills/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { clientFor, eventually, folder, startAgent, type Agent } from './agent.ts';

/** Sends what a feed brought to the owner, then to an address that the feed named. */
const definition = {
  name: 'careless',
  steps: [
    { id: 'read', skill: 'rss_fetch', config: { maxItems: 1, force: true } },
    { id: 'own', skill: 'notify', config: { optional: true } },
    { id: 'send', skill: 'notify', inputFrom: 'read', config: { to: '{{ input[0].id }}', optional: true } },
  ],
  resources: [{ name: 'Wire', type: 'rss_feed', url: 'file:examples/feeds/wire-world.xml', metadata: { recentHours: 0 } }],
};

describe('policy', () => {
  const opened = new AsyncDisposableStack();
  let home: string;
  let agent: Agent;
  let workflowId: string;
  before(async () => {
    home = opened.use(await folder()).path;
    agent = opened.use(await startAgent({ home }));
    workflowId = (await agent.client.call(createWorkflow, { definition, enabled: true })).id;
  });
  after(() => opened.disposeAsync());

  const ended = (id: string, ...statuses: string[]) =>
    eventually(
      () => agent.client.call(getRun, { id }),
      ({ status }) => statuses.includes(status),
    );
  const pending = async () => (await agent.client.call(listApprovals, { status: 'pending' })).items;

  // One story: the last step looks for what the others left in the audit, so they are never shuffled.
  it('in a whole agent', async (t) => {
    await t.test(
      'an address that a feed named is asked about, with the way it took; nobody to ask is said at once; a kill forgets nothing',
      async () => {
        const { id } = await agent.client.call(startRun, { id: 'careless' });
        const waiting = await ended(id, 'waiting');
        assert.deepEqual(
          waiting.effects.map(({ step, status }) => [step, status]),
          [['own', 'done']],
        );
        const [question] = await pending();
        const { capability, beyond, path } = question!.details as {
          capability: string;
          beyond: string[];
          path: { label: string; via: string[] }[];
        };
        assert.deepEqual([question!.runId, question!.step, capability, beyond], [id, 'send', 'channel:send', ['untrusted']]);
        assert.deepEqual(
          path.find(({ label }) => label === 'untrusted')?.via.filter((step) => step !== 'own'),
          ['read', 'send'],
        );
        const { lines } = await eventually(
          () => agent.client.call(explainRun, { id }),
          (told) => told.lines.some(({ text }) => text.includes('Nobody can be asked')),
        );
        assert.ok(lines.some(({ text }) => /had to be asked about/.test(text)));

        await agent.kill();
        agent = opened.use(await startAgent({ home }));
        assert.deepEqual(
          (await pending()).map((each) => each.id),
          [question!.id],
        );
        await agent.client.call(answerApproval, { id: question!.id, option: 'yes' });
        const done = await ended(id, 'succeeded', 'failed');
        assert.equal(done.effects.filter(({ step }) => step === 'own').length, 1);
        assert.match((await agent.client.call(explainRun, { id: question!.id })).lines[1]!.text, /answered "Allow once"/);
      },
    );

    await t.test('“always” is one narrow grant, and its revocation makes it a question again', async () => {
      const first = await agent.client.call(startRun, { id: 'careless' });
      await ended(first.id, 'waiting');
      const [question] = await pending();
      await agent.client.call(answerApproval, { id: question!.id, option: 'always' });
      await ended(first.id, 'succeeded', 'failed');
      const { items } = await agent.client.call(listPolicyGrants, {});
      assert.deepEqual(
        items.map(({ principal, capability, approvalId }) => [principal, capability, approvalId]),
        [[`workflow:${workflowId}`, 'channel:send', question!.id]],
      );
      await agent.client.call(revokePolicyGrant, { id: items[0]!.id });
      assert.deepEqual((await agent.client.call(listPolicyGrants, {})).items, []);
    });

    await t.test('a run does not bury the owner in questions', async () => {
      const steps = [
        { id: 'each', map: { onItemError: 'collect', steps: [{ id: 'send', skill: 'notify', config: { to: '{{ item }}' } }] } },
      ];
      await agent.client.call(createWorkflow, { definition: { name: 'flood', steps }, enabled: true });
      const { id } = await agent.client.call(startRun, { id: 'flood', input: Array.from({ length: 30 }, (_, n) => `chat-${n}`) });
      const { steps: rows } = await ended(id, 'waiting');
      assert.equal((await pending()).filter(({ runId }) => runId === id).length, 20);
      assert.equal(rows.filter(({ error }) => error?.code === 'policy.too_many_questions').length, 10);
      await agent.client.call(cancelRun, { id });
      assert.deepEqual(await pending(), [], 'what nobody waits for any more is withdrawn');
    });

    await t.test('a grant holds from the next request on, for tokens and workflows alike, and each decision has one answer', async () => {
      const made = await agent.client.call(createToken, { name: 'reader', grants: ['runs:read', 'skills:run'], expiresAt: null });
      const reader = clientFor(agent.url, made.token);
      await reader.call(listRuns, {});
      await assert.rejects(reader.call(runSkill, { name: 'web_fetch', config: { url: 'https://example.org/' } }), {
        code: 'policy.denied',
      });
      const told = await agent.client.call(explainPolicy, {
        principal: `token:${made.id}`,
        capability: 'net:fetch',
        resource: 'example.org',
      });
      assert.equal(told.effect, 'deny');
      const grant = await agent.client.call(createPolicyGrant, { principal: 'token:*', capability: 'runs:*', effect: 'deny' });
      await assert.rejects(reader.call(listRuns, {}), { code: 'http.forbidden' });
      await agent.client.call(revokePolicyGrant, { id: grant.id });
      await reader.call(listRuns, {});
      const { items } = await agent.client.call(listAudit, { action: 'policy.*', limit: 200 });
      for (const action of [
        'policy.ask',
        'policy.allow',
        'policy.deny',
        'policy.grant',
        'policy.revoke',
        'policy.answer',
        'policy.allow_once',
      ])
        assert.ok(
          items.some((each) => each.action === action),
          action,
        );
    });
  });
});
