import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret as Base32, TOTP } from 'otpauth';
import { AppError } from '#core/errors';
import { createLoginLink } from '#owner/contract';
import { getApproval, listApprovals } from '#policy/contract';
import { getRun } from '#runs/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

const PASSWORD = 'velvet orchard tram 7';

interface Answer {
  readonly status: number;
  /** Name and value of the session cookie that it sets. */
  readonly cookie: string | null;
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

describe('The way in, over HTTP', () => {
  const opened = new AsyncDisposableStack();
  let agent: Agent;
  let home: string;
  let owner: { cookie: string; csrf: string };
  let secret = '';

  before(async () => {
    home = opened.use(await folder()).path;
    agent = await startAgent({ home });
    opened.defer(() => agent[Symbol.asyncDispose]());
    owner = await byLink();
    assert.equal((await ask('PUT', '/api/password', { password: PASSWORD }, as(owner))).status, 200);
  });
  after(() => opened.disposeAsync());

  async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(agent.url + path, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? null;
    return { status: response.status, cookie, json: await response.json().catch(() => null) };
  }

  const as = ({ cookie, csrf }: { cookie: string; csrf: string }, factor?: string): Record<string, string> => ({
    cookie,
    origin: agent.url,
    'x-csrf-token': csrf,
    ...(factor !== undefined && { 'castellan-factor': encodeURIComponent(factor) }),
  });

  async function byLink(headers: Record<string, string> = {}) {
    const { url } = await agent.client.call(createLoginLink, {});
    const { cookie, json } = await ask('POST', '/api/login/link', { code: new URL(url).hash.slice('#login='.length) }, headers);
    return { cookie: cookie!, csrf: json.csrfToken as string, json };
  }

  async function again(): Promise<void> {
    await agent.kill();
    agent = await startAgent({ home });
  }

  /** The last step used is remembered, so tests take later ones; the clock of the agent is the machine's. */
  const code = (steps = 0): string => TOTP.generate({ secret: Base32.fromBase32(secret), timestamp: Date.now() + steps * 30_000 });

  // One story: each step stands on those before it, so they are never shuffled.
  it('from the first link to the second factor', async (t) => {
    await t.test('is not eased by a header that anybody can forge, nor by a restart', async () => {
      for (let n = 1; n <= 5; n += 1) {
        const forged = { 'x-forwarded-for': `203.0.113.${n}`, 'x-real-ip': `203.0.113.${n}`, forwarded: `for=203.0.113.${n}` };
        assert.equal((await ask('POST', '/api/login', { password: 'wrong wrong' }, forged)).json.error.code, 'owner.wrong_password');
      }
      const refused = { 'x-forwarded-for': '198.51.100.1' };
      assert.equal((await ask('POST', '/api/login', { password: PASSWORD }, refused)).status, 429);
      await again();
      const { status, json } = await ask('POST', '/api/login', { password: PASSWORD }, refused);
      assert.deepEqual([status, json.error.code], [429, 'owner.too_many_attempts']);
      assert.equal((await ask('GET', '/api/factors', undefined, as(owner))).status, 200, 'who is in stays in');
      await byLink(); // and the owner comes in all the same, which opens the door again
      assert.equal((await ask('POST', '/api/login', { password: PASSWORD })).status, 200);
    });

    await t.test('makes a session of its own, whatever cookie was planted, and ends the one before', async () => {
      const planted = await ask('POST', '/api/login', { password: PASSWORD }, { cookie: 'castellan=planted' });
      assert.ok(planted.cookie !== null && planted.cookie !== 'castellan=planted');
      assert.equal((await ask('GET', '/api/factors', undefined, { cookie: 'castellan=planted' })).status, 401);
      const next = await ask('POST', '/api/login', { password: PASSWORD }, { cookie: planted.cookie! });
      assert.notEqual(next.cookie, planted.cookie);
      assert.equal((await ask('GET', '/api/factors', undefined, { cookie: planted.cookie! })).status, 401);
      assert.equal((await ask('GET', '/api/factors', undefined, { cookie: next.cookie! })).status, 200);
    });

    await t.test('takes nothing from a page of another origin, or without the token of ours', async () => {
      const { paths } = (await ask('GET', '/api/openapi.json', undefined, as(owner))).json as {
        paths: Record<string, Record<string, { 'x-grant'?: string }>>;
      };
      const mine = Object.entries(paths).filter(([path]) => /^\/api\/(login|factors|passkeys|sessions|devices|tokens|password)/.test(path));
      const acts = mine.flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { 'x-grant': grant }]) => ({ method: method.toUpperCase(), path, grant })),
      );
      assert.ok(acts.length >= 20, String(acts.length));
      for (const { method, path, grant } of acts.filter((it) => it.method !== 'GET')) {
        const to = path.replaceAll(/\{\w+\}/g, 'x');
        const body = method === 'DELETE' ? undefined : {};
        const foreign = await ask(method, to, body, { ...as(owner), origin: 'https://evil.example' });
        assert.equal(foreign.json.error.code, 'http.foreign_origin', `${method} ${path}`);
        if (grant === undefined) continue; // a login needs no session, and so no token of one
        const { cookie } = owner;
        assert.equal((await ask(method, to, body, { cookie, origin: agent.url })).json.error.code, 'http.csrf', `${method} ${path}`);
      }
    });

    await t.test('asks for the second factor once there is one, over a crash too, and to take it away again', async () => {
      assert.equal((await ask('POST', '/api/factors/totp', {}, as(owner))).json.error.code, 'owner.factor_needed');
      const begun = await ask('POST', '/api/factors/totp', {}, as(owner, PASSWORD));
      assert.equal(begun.status, 201);
      secret = begun.json.secret;
      const { json } = await ask('POST', '/api/factors/totp/confirm', { code: code() }, as(owner));
      const recovery = json.recoveryCodes as string[];
      const first = await ask('POST', '/api/login', { password: PASSWORD });
      assert.deepEqual([first.cookie, first.json.authenticated], [null, false]);
      await again();
      const { id } = first.json.challenge as { id: string };
      const second = await ask('POST', '/api/login/factor', { challenge: id, code: recovery[0] });
      assert.deepEqual([second.status, second.json.authenticated], [200, true]);
      owner = { cookie: second.cookie!, csrf: second.json.csrfToken };
      for (const given of [undefined, PASSWORD, recovery[0], '000000'])
        assert.equal((await ask('DELETE', '/api/factors/totp', undefined, as(owner, given))).status, 403, String(given));
      await assert.rejects(agent.client.call(createLoginLink, {}), { code: 'owner.factor_needed' }); // the command line as well
    });

    await t.test('a workflow that requires it waits for it, whoever starts it', async () => {
      const definition = { name: 'guarded', requires2fa: true, steps: [{ id: 'ask', approval: { question: 'Go on?' } }] };
      await agent.client.call(createWorkflow, { definition, enabled: true });
      const { id } = await agent.client.call(startRun, { id: 'guarded' });
      const { items } = await eventually(
        () => agent.client.call(listApprovals, { run: id, status: 'pending' }),
        (found) => found.items.length === 1,
      );
      const [question] = items;
      assert.equal(question!.kind, 'second_factor');
      const answer = (factor?: string) => ask('POST', `/api/approvals/${question!.id}/answer`, { option: 'approve' }, as(owner, factor));
      assert.equal((await answer()).json.error.code, 'owner.factor_needed');
      assert.equal((await answer('000000')).json.error.code, 'owner.wrong_factor');
      assert.equal((await agent.client.call(getApproval, { id: question!.id })).status, 'pending');
      assert.equal((await answer(code(1))).status, 200);
      const tame = { definition: { ...definition, requires2fa: false } };
      for (const [method, body] of [
        ['PUT', tame],
        ['DELETE', undefined],
      ] as const)
        assert.equal((await ask(method, '/api/workflows/guarded', body, as(owner))).json.error.code, 'owner.factor_needed');
      await eventually(
        () => agent.client.call(getRun, { id }),
        (run) => run.steps.some(({ path }) => path === 'ask'),
      );
    });

    await t.test('says in an error what would help, and nothing that was given', async () => {
      const thrown = await agent.client.call(createLoginLink, {}).catch((error: unknown) => error);
      assert.ok(thrown instanceof AppError);
      assert.deepEqual(thrown.details['factors'], ['totp', 'recovery']);
      const { json } = await ask('DELETE', '/api/factors/totp', undefined, as(owner, 'my secret words'));
      assert.equal(JSON.stringify(json).includes('my secret words'), false);
    });
  });
});
