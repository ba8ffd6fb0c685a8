// The agent and Telegram, both as real processes and sockets: pairing, commands, the briefing, an approval by button, a power cut.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FAKE_TOKEN, fakeTelegram } from '#channels/testing';
import { changeChannel, listChannels, pairAnywhere } from '#channels/contract';
import { getRun, isOver, listRuns } from '#runs/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, freePort, startAgent } from './agent.ts';

const OWNER = 4711;

it('Telegram calls us at the public side, where nothing else is to be found', async () => {
  await using home = await folder();
  await using telegram = await fakeTelegram();
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  await using agent = await startAgent({
    home: home.path,
    env: { TELEGRAM_BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_ROOT: telegram.root, CASTELLAN_PUBLIC_URL: publicUrl },
    args: ['--ingress-port', String(port)],
  });
  const [channel] = (await agent.client.call(listChannels, {})).items.filter(({ kind }) => kind === 'telegram');
  const { callbackUrl } = await agent.client.call(changeChannel, {
    id: channel!.id,
    config: { apiRoot: telegram.root, mode: 'webhook' },
  });
  await telegram.until(() => telegram.webhook() === callbackUrl);
  telegram.say('/ping', { from: OWNER });
  await telegram.until(() => telegram.sentTo(OWNER).length === 1);
  const statuses = await Promise.all(
    [
      [callbackUrl!, { method: 'POST', body: '{}' }],
      [callbackUrl!, { method: 'POST', body: '{}', headers: { 'x-telegram-bot-api-secret-token': 'a guess' } }],
      [callbackUrl!, {}],
      [`${publicUrl}/channels/nobody`, { method: 'POST', body: '{}' }],
      [`${publicUrl}/channels/telegram`, { method: 'POST', body: '{}' }],
      [`${publicUrl}/hooks/${channel!.id}`, { method: 'POST', body: '{}' }],
      [`${publicUrl}/health`, {}],
      [callbackUrl!, { method: 'POST', body: 'x'.repeat(600 * 1024) }],
    ].map(async ([url, init]) => {
      const answer = await fetch(url as string, init as RequestInit);
      return [answer.status, await answer.text()];
    }),
  );
  assert.deepEqual(statuses, [...Array.from({ length: 7 }, () => [404, '']), [413, '']]);
});

it('Telegram: strangers get a code and nothing else; the owner pairs, commands, reads the briefing and answers by button, also after kill -9', async () => {
  await using home = await folder();
  await using telegram = await fakeTelegram();
  const env = { TELEGRAM_BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_ROOT: telegram.root };
  let agent = await startAgent({ home: home.path, env });
  const heard = (pattern: RegExp) =>
    eventually(
      async () => telegram.messages.filter(({ chat, text }) => chat === OWNER && pattern.test(text)),
      (found) => found.length > 0,
    );
  try {
    telegram.say('/run morning-briefing', { from: OWNER, name: 'Ada' });
    const [greeting] = await heard(/[A-Z0-9]{4}-?[A-Z0-9]{4}/);
    assert.equal(telegram.messages.length, 1);
    await agent.client.call(pairAnywhere, { code: /[A-Z0-9]{4}-?[A-Z0-9]{4}/.exec(greeting!.text)![0] });
    telegram.say('/ping', { from: OWNER });
    await heard(/pong/i);
    telegram.say('/nonsense', { from: OWNER });
    await heard(/nonsense/);
    telegram.say('/run morning-briefing', { from: OWNER });
    const { items } = await eventually(
      () => agent.client.call(listRuns, {}),
      ({ items: runs }) => runs.some(({ trigger, status }) => trigger.kind === 'channel' && isOver(status)),
    );
    assert.equal(items.find(({ trigger }) => trigger.kind === 'channel')?.status, 'succeeded');

    const workflow = await agent.client.call(createWorkflow, {
      definition: {
        name: 'ask',
        steps: [
          { id: 'ask', approval: { question: 'Send the parcel?' }, next: { approve: 'tell', reject: 'end' } },
          { id: 'tell', skill: 'notify', inputFrom: 'ask', config: { channel: 'telegram', text: 'The parcel is on its way.' } },
        ],
      },
      enabled: true,
    });
    const run = await agent.client.call(startRun, { id: workflow.id, input: 'x' });
    const [card] = await heard(/Send the parcel\?/);
    await agent.kill();
    agent = await startAgent({ home: home.path, env });
    const approve = card!.buttons.find(({ text }) => /approve/i.test(text));
    telegram.press(card!, approve!.callback_data, OWNER);
    const ended = await eventually(
      () => agent.client.call(getRun, { id: run.id }),
      ({ status }) => isOver(status),
    );
    assert.deepEqual([ended.status, ended.steps.map(({ outcome }) => outcome)], ['succeeded', ['approve', 'on_delivered']]);
    assert.equal((await heard(/on its way/)).length, 1);
    assert.equal(ended.effects[0]?.status, 'done');
  } finally {
    await agent[Symbol.asyncDispose]();
  }
});
