import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyText } from '#core/testing';
import { starterRules } from '#policy';
import { rulesOnly, testRule } from '#policy/testing';
import { parseCommand, splitWords } from './command.ts';
import { commands } from './commands.ts';
import { createDispatcher, isControl, type Dispatch } from './dispatcher.ts';
import type { InboundMessage } from './kind.ts';
import { briefing, fakePorts } from './testbed.ts';

const message = (text: string): InboundMessage => ({
  messageId: 'm',
  chat: '1',
  isPrivate: true,
  sender: { id: '1', name: 'Me' },
  text,
  at: 0,
});

function setup(policy = rulesOnly(...starterRules([]))) {
  const started: { workflow: string; input: unknown; key: string }[] = [];
  const answers: string[] = [];
  const base = fakePorts(started);
  const other = { ...briefing, id: 'w2', name: 'morning', title: 'Morning' };
  const off = { ...briefing, id: 'w3', name: 'off', title: 'Off', enabled: false };
  const ports = {
    ...base,
    policy,
    workflows: { ...base.workflows, list: async () => ({ items: [other, briefing, off], next: null }) },
    approvals: {
      list: async () => ({ items: [], next: null }),
      get: async () => Promise.reject(new Error()),
      answer: async () => Promise.reject(new Error()),
      answerText: async (text: string) => (answers.push(text), null),
    },
  };
  const dispatcher = createDispatcher({ ports, commands, now: () => 0, keyOf: async () => undefined });
  const ask = (text: string): Promise<Dispatch> =>
    dispatcher.dispatch(message(text), { id: 'in-1', channel: 'c', kind: 'telegram', account: '@bot' }, new AbortController().signal);
  const reply = async (text: string): Promise<string> => {
    const done = await ask(text);
    assert.equal(done.do, 'reply');
    return (done as { text: string }).text;
  };
  return { ask, reply, started, answers };
}

describe('Commands', () => {
  it('are read in any case, with a bot, with an argument; a path is talk', () => {
    assert.deepEqual(parseCommand('/Run@My_Bot  a b '), { name: 'run', bot: 'My_Bot', argument: 'a b' });
    assert.equal(parseCommand('/etc/hosts says what?'), null);
    assert.equal(parseCommand('see /help'), null);
    assert.deepEqual(splitWords('a "b c" \'d e\' “f g” h'), ['a', 'b c', 'd e', 'f g', 'h']);
  });

  it('never fail to be read, whatever was written', () => {
    fc.assert(fc.property(anyText(), (text) => (parseCommand(text), splitWords(text), isControl(message(text)), true)));
  });

  it('start the workflow whose name fits longest, quoted or not, with the rest as its input', async () => {
    const { reply, started } = setup();
    await reply('/run Morning Briefing about cats');
    await reply('/run morning {"a": 1}');
    await reply('/run "MORNING BRIEFING" x');
    await reply('/run w2');
    assert.deepEqual(
      started.map(({ workflow, input }) => [workflow, input]),
      [['w1', 'about cats']],
    );
  });

  it('give one message one run', async () => {
    const { reply, started } = setup();
    await reply('/run morning-briefing');
    await reply('/run morning-briefing');
    assert.deepEqual(
      started.map(({ key }) => key),
      ['channel:in-1'],
    );
  });

  it('say how they are used', async () => {
    const { reply, ask } = setup();
    assert.match(await reply('/run'), /\/run <workflow>/);
    assert.match(await reply('/ping now'), /stands alone/);
    assert.match(await reply('/pinf'), /Did you mean \/ping/);
    assert.match(await reply('/pingpong'), /no command/);
    await assert.rejects(ask('/run mornin'), { code: 'channel.no_workflow', message: /morning/ });
    assert.match(await reply('/run off'), /Started/);
    await assert.rejects(ask('/run morning {"a":'), { code: 'json.malformed' });
    await assert.rejects(ask('/cancel nothing'), { code: 'channel.no_run' });
  });

  it('are all in the help', async () => {
    const help = await setup().reply('/HELP');
    for (const { name, summary } of commands) assert.ok(help.includes(`/${name}`) && help.includes(summary));
  });

  it('answer without a model', async () => {
    const { reply } = setup();
    assert.equal(await reply('/ping@bot'), 'pong');
    assert.match(await reply('/status'), /up 1 min 1 s/);
    assert.match(await reply('/workflows'), /`off` Off \(off\)/);
    for (const each of ['/runs', '/skills', '/llm', '/approvals']) assert.notEqual(await reply(each), '');
  });

  it('leave the rest to talk', async () => {
    const { ask } = setup();
    assert.deepEqual(await ask('what is the weather'), { do: 'talk' });
    assert.deepEqual(await ask('/ping@other_bot'), { do: 'ignore' });
  });
});

describe('what a sender may do', () => {
  it('is each command’s own capability, and what the owner took from this sender it may not', async () => {
    const policy = rulesOnly(
      ...starterRules([]),
      testRule('deny', 'channel:c:1', 'workflows:run'),
      testRule('deny', 'channel:c:1', 'approvals:answer'),
    );
    const t = setup(policy);
    await assert.rejects(t.ask('/run morning'), { code: 'policy.denied' });
    assert.equal(await t.reply('/ping'), 'pong');
    assert.deepEqual(await t.ask('see you then'), { do: 'talk' }, 'what only looks like an answer is talk');
    assert.deepEqual([t.started, t.answers], [[], []]);
    assert.deepEqual(
      policy.asked.map(({ principal, capability }) => `${principal} ${capability}`),
      ['channel:c:1 workflows:run', 'channel:c:1 health:read', 'channel:c:1 agents:talk'],
    );
  });

  it('is nothing where nothing is granted', async () => {
    const t = setup(rulesOnly());
    for (const text of ['/run morning', '/status', '/ping', '/approvals', 'hello'])
      await assert.rejects(t.ask(text), { code: 'policy.denied' }, text);
  });
});
