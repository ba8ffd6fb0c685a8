import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allowAll, rulesOnly, testRule } from '#policy/testing';
import type { TurnEvent } from '../contract.ts';
import { endOf } from '../testbed.ts';
import { findProgram } from './find.ts';
import { answerWith, byMode, wantedBy } from './permission.ts';
import { bubblewrap, setup as setupBed, type AcpBedOptions } from './testbed.ts';
import { createTranslator } from './updates.ts';

const packageFolder = (name: string): string =>
  fileURLToPath(import.meta.resolve(name)).replace(new RegExp(`(/node_modules/${name})/.*$`), '$1');

/** As npm would install it: the program in `.bin`, what it loads in `node_modules`. */
const installed = { folder: '' };
before(async () => {
  installed.folder = await mkdtemp(join(tmpdir(), 'castellan-acp-'));
  const modules = join(installed.folder, 'node_modules');
  await mkdir(join(modules, 'fake'), { recursive: true });
  await mkdir(join(modules, '.bin'));
  for (const name of ['@agentclientprotocol/sdk', 'zod'])
    await cp(packageFolder(name), join(modules, name), {
      recursive: true,
      dereference: true,
      filter: (path) => !/\.(map|ts|cts)$/.test(path),
    });
  await cp(fileURLToPath(new URL('fixtures/fake-agent.mjs', import.meta.url)), join(modules, 'fake', 'fake-agent.mjs'));
  await symlink('../fake/fake-agent.mjs', join(modules, '.bin', 'claude-agent-acp'));
});
after(() => rm(installed.folder, { recursive: true, force: true }));

const setup = (options: Omit<AcpBedOptions, 'agentsFolder'> = {}) => setupBed({ agentsFolder: installed.folder, ...options });

const words = (events: readonly TurnEvent[]): string => endOf(events).message.text;

describe('an agent CLI as backend', { skip: bubblewrap === null && 'bubblewrap is not installed' }, () => {
  it('answers with the model of the gateway; the cost is that of the turn', async () => {
    await using t = await setup();
    const events = await t.tell('SAY hello');
    const { status, message, receipt, error } = endOf(events);
    assert.equal(status, 'succeeded', JSON.stringify(error));
    assert.match(message.text, /^the model heard: hello$/);
    assert.deepEqual(message.parts[0], { type: 'reasoning', text: 'hm' });
    assert.equal(receipt?.usage.inputTokens, 1_000);
    assert.equal((await t.runs.get(message.runId)).costUsd, 0.001);
  });

  it('has no network, no files of the machine and no key of ours', async () => {
    await using t = await setup({ policy: allowAll() });
    assert.deepEqual(JSON.parse(words(await t.tell('NET'))), { out: false, host: false, root: false });
    const env = (await t.tell('RUN env')).find((it) => it.type === 'tool_result')!;
    assert.match(env.output, /ANTHROPIC_API_KEY=/);
    assert.doesNotMatch(env.output, /CASTELLAN_|PGPASSWORD|SSH_/);
    // the command line of a process can be read by every account of the machine
    assert.equal(t.children.list().length, 1);
    assert.doesNotMatch(execFileSync('ps', ['-eww', '-o', 'args'], { encoding: 'utf8' }), /castellan-gw-/);
  });

  it('asks before it acts: yes runs it, no leaves everything as it was', async () => {
    await using yes = await setup({ answer: 'yes' });
    const path = join(yes.workspace.folder, 'made.txt');
    const done = await yes.tell(`WRITE ${path}`);
    assert.equal(words(done), 'done');
    assert.ok(existsSync(path));
    assert.match(yes.questions[0]!.question, /Coder \(Claude Code\) wants to use file:write on .*made\.txt/);
    await using no = await setup({ answer: 'no' });
    const other = join(no.workspace.folder, 'made.txt');
    assert.equal(words(await no.tell(`WRITE ${other}`)), 'not done');
    assert.ok(!existsSync(other));
  });

  it('what it has read since counts when it asks for more', async () => {
    const policy = rulesOnly(testRule('ask', '*', '*'));
    await using t = await setup({ policy });
    await t.tell(`WRITE ${join(t.workspace.folder, 'x')}`);
    await t.tell(`READ ${join(t.workspace.folder, 'y')}`);
    assert.deepEqual(
      policy.asked.map(({ context }) => context!.labels!.includes('untrusted')),
      [false, true],
    );
  });

  it('by its mode: plan changes nothing even if it tries, accept_edits writes files and asks for commands', async () => {
    await using plan = await setup({ mode: 'plan' });
    assert.equal(words(await plan.tell(`WRITE ${join(plan.workspace.folder, 'x')}`)), 'not done');
    assert.deepEqual(plan.questions, []);
    await using edits = await setup({ mode: 'accept_edits', answer: 'no' });
    assert.equal(words(await edits.tell(`WRITE ${join(edits.workspace.folder, 'x')}`)), 'done');
    assert.equal(words(await edits.tell('RUN true')), 'not done');
    assert.deepEqual(
      edits.questions.map(({ details }) => (details as { capability: string; resource: string }).capability),
      ['shell:run'],
    );
  });

  it('keeps its session from turn to turn, and after kill -9 goes on where it was', async () => {
    await using t = await setup();
    await t.tell('SAY the word is PINEAPPLE');
    assert.match(words(await t.tell('HISTORY')), /PINEAPPLE/);
    assert.equal(t.children.list().length, 1);
    const died = endOf(await t.tell('DIE'));
    assert.deepEqual([died.status, died.error?.code], ['failed', 'agent.cli_failed']);
    assert.match(died.error!.message, /I had enough/);
    assert.match(words(await t.tell('HISTORY')), /PINEAPPLE.*DIE/s);
  });

  it('stops when it is told to', async () => {
    await using t = await setup();
    const events: TurnEvent[] = [];
    for await (const { data } of t.turns.turn({
      conversationId: t.id,
      text: 'SLOW',
      origin: { kind: 'owner' },
      signal: AbortSignal.timeout(10_000),
    })) {
      events.push(data);
      if (data.type === 'text') void t.turns.cancel(t.id);
    }
    const { status, message } = endOf(events);
    assert.deepEqual([status, message.text], ['cancelled', 'on it']);
    assert.equal(words(await t.tell('SAY again')), 'the model heard: again');
  });

  it('says what is missing: the program, or the sandbox', async () => {
    await using gone = await setup({ explicit: '/nonexistent/claude' });
    assert.equal(endOf(await gone.tell('SAY x')).error?.code, 'agent.cli_missing');
    await using bare = await setup({ bare: true });
    assert.equal(endOf(await bare.tell('SAY x')).error?.code, 'agent.no_sandbox');
  });
});

it('a program that stands alone is shown alone: the folder around it may be the owner’s home', async () => {
  const home = await mkdtemp(join(tmpdir(), 'castellan-acp-'));
  const program = join(home, 'opencode');
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
  const found = await findProgram(['opencode'], program, { agentsFolder: '/nonexistent', path: '', ownerHome: home });
  assert.deepEqual([found?.root, found?.from], [await realpath(program), 'setting']);
  await rm(home, { recursive: true });
});

describe('what an agent wants', () => {
  const request = (kind: string, more: object = {}) =>
    ({ sessionId: 's', toolCall: { toolCallId: '1', kind, title: 'T', ...more }, options: [] }) as never;

  it('is a capability on a resource, whatever it is called', () => {
    assert.deepEqual(wantedBy(request('execute', { rawInput: { command: 'rm -rf\n  /' } })), {
      capability: 'shell:run',
      resource: 'rm -rf /',
    });
    assert.deepEqual(wantedBy(request('edit', { locations: [{ path: '/w/a' }] })), { capability: 'file:write', resource: '/w/a' });
    assert.deepEqual(wantedBy(request('something_new')), { capability: 'agent:tool', resource: 'T' });
    assert.equal(byMode('plan', { capability: 'agent:tool', resource: '' }), 'deny');
    assert.equal(byMode('default', { capability: 'shell:run', resource: '' }), null);
  });

  it('gets the narrowest answer of those offered', () => {
    const option = (kind: string) => ({ optionId: kind, name: kind, kind }) as never;
    assert.deepEqual(answerWith([option('allow_always'), option('allow_once')], true).outcome, {
      outcome: 'selected',
      optionId: 'allow_once',
    });
    assert.deepEqual(answerWith([option('allow_always')], false).outcome, { outcome: 'cancelled' });
  });

  it('what it took in makes the answer untrusted; a result is told once', () => {
    const hear = createTranslator();
    hear({ sessionUpdate: 'tool_call', toolCallId: '1', title: 'Read', kind: 'read', status: 'pending' } as never);
    const update = {
      sessionUpdate: 'tool_call_update',
      toolCallId: '1',
      status: 'completed',
      content: [{ type: 'diff', path: 'a', oldText: 'x', newText: 'y' }],
    } as never;
    assert.deepEqual(hear(update), [
      { type: 'saw', labels: ['untrusted'] },
      { type: 'tool_result', id: '1', name: 'read', output: '--- a\n-x\n+y', isError: false },
    ]);
    assert.deepEqual(hear(update), []);
  });
});
