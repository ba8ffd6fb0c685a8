import assert from 'node:assert/strict';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOver, listRuns, getRun } from '#runs/contract';
import { listWorkflows } from '#workflows/contract';
import { getSession } from '#owner/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly body: {
    readonly csrfToken?: string;
    readonly authenticated?: boolean;
    readonly passwordSet?: boolean;
    readonly error?: { readonly code: string };
  };
  readonly retryAfter: string | null;
}

describe('the first five minutes', () => {
  const opened = new AsyncDisposableStack();
  let first: Agent;
  let agent: Agent;
  before(async () => {
    const home = opened.use(await folder());
    agent = opened.use(await startAgent({ home: join(home.path, 'new'), launcher: true }));
    first = agent;
  });
  after(() => opened.disposeAsync());

  /** As the page of the agent itself would. */
  async function browse(method: string, path: string, body: unknown, session: { cookie?: string; csrf?: string } = {}): Promise<Answer> {
    const response = await fetch(agent.url + path, {
      method,
      headers: {
        origin: agent.url,
        'content-type': 'application/json',
        ...(session.cookie && { cookie: session.cookie }),
        ...(session.csrf && { 'x-csrf-token': session.csrf }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const cookie = response.headers
      .getSetCookie()
      .map((line) => line.split(';')[0]!)
      .join('; ');
    return {
      status: response.status,
      cookie,
      body: (await response.json()) as Answer['body'],
      retryAfter: response.headers.get('retry-after'),
    };
  }

  it('prints where it is and a link to come in', () => {
    assert.match(first.said(), new RegExp(`is ready at ${first.url}\\n`));
    assert.match(first.said(), new RegExp(`${first.url}/#login=[\\w-]{32}\\n`));
  });

  it('closes the home to everybody else', async () => {
    const open: string[] = [];
    for (const entry of [agent.home, ...(await readdir(agent.home, { recursive: true })).map((name) => join(agent.home, name))]) {
      const { mode } = await lstat(entry);
      if ((mode & 0o077) !== 0) open.push(`${(mode & 0o777).toString(8)} ${entry}`);
    }
    assert.deepEqual(open, []);
    assert.equal((await lstat(agent.home)).mode & 0o777, 0o700);
  });

  it('offers the morning briefing, switched off, and has run it once, with no network and no model', async () => {
    const { items } = await agent.client.call(listWorkflows, {});
    assert.deepEqual(
      items.map(({ name, enabled }) => [name, enabled]),
      [['morning-briefing', false]],
    );
    const [run, ...others] = (
      await eventually(
        () => agent.client.call(listRuns, {}),
        (list) => list.items.length > 0 && list.items.every(({ status }) => isOver(status)),
      )
    ).items;
    assert.deepEqual([run?.status, run?.trigger.kind, run?.costUsd, others], ['succeeded', 'first_start', 0, []]);
    const { output, steps } = await agent.client.call(getRun, { id: run!.id });
    assert.deepEqual(
      steps.map(({ path, status }) => [path, status]),
      [
        ['fetch', 'succeeded'],
        ['score', 'succeeded'],
        ['write', 'succeeded'],
        ['send', 'succeeded'],
      ],
    );
    // every line of an item ends its link with where it is from
    const sources = new Set([...String(output).matchAll(/^- \[.+\]\(https:\/\/\S+\) \(([^)]+)\):/gm)].map(([, source]) => source));
    assert.ok(sources.size >= 4, `${[...sources].join()} in:\n${String(output)}`);
  });

  it('lets in by the link once, takes a password, and slows guessing down', async () => {
    const code = /#login=([\w-]+)/.exec(agent.said())![1]!;
    assert.equal(
      (
        await fetch(`${agent.url}/api/login/link`, {
          method: 'POST',
          headers: { origin: 'http://evil.example', 'content-type': 'application/json' },
          body: JSON.stringify({ code }),
        })
      ).status,
      403,
    );
    const entered = await browse('POST', '/api/login/link', { code });
    assert.deepEqual([entered.status, entered.body.authenticated, entered.body.passwordSet], [200, true, false]);
    assert.equal((await browse('POST', '/api/login/link', { code })).status, 401);

    const session = { cookie: entered.cookie, csrf: entered.body.csrfToken! };
    assert.equal(
      (await browse('PUT', '/api/password', { password: 'correct horse battery' }, { cookie: entered.cookie })).body.error?.code,
      'http.csrf',
    );
    assert.equal((await browse('PUT', '/api/password', { password: 'short' }, session)).status, 400);
    assert.equal((await browse('PUT', '/api/password', { password: 'correct horse battery' }, session)).status, 200);
    const login = await browse('POST', '/api/login', { password: 'correct horse battery' });
    assert.deepEqual([login.status, login.body.authenticated], [200, true]);
    assert.equal((await browse('GET', getSession.path, undefined, { cookie: login.cookie })).body.authenticated, true);

    const tries = [];
    for (let i = 0; i < 6; i += 1) tries.push(await browse('POST', '/api/login', { password: `guess number ${i}` }));
    assert.deepEqual(
      tries.map(({ status }) => status),
      [401, 401, 401, 401, 401, 429],
    );
    assert.ok(Number(tries.at(-1)!.retryAfter) > 600);
    assert.equal((await browse('POST', '/api/login', { password: 'correct horse battery' })).status, 429);
  });

  it('starts a second time without seeding or running anything again', async () => {
    const list = async () => ({ workflows: await agent.client.call(listWorkflows, {}), runs: await agent.client.call(listRuns, {}) });
    const before = await eventually(list, ({ runs }) => runs.items.length > 0 && runs.items.every(({ status }) => isOver(status)));
    assert.equal(await agent.stop(), 0);
    agent = opened.use(await startAgent({ home: agent.home }));
    await sleep(300); // what it does at its start would be done by now
    assert.deepEqual(await list(), before);
  });
});
