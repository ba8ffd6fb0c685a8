// Skills of others in a whole agent: from the folder to the answer, over the wire that the command line and the browser use.
import assert from 'node:assert/strict';
import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '#audit/contract';
import type { AppError } from '#core/errors';
import { listNotifications } from '#notifications/contract';
import {
  getSkill,
  installSkill,
  listInstalledSkills,
  listSkills,
  previewSkill,
  removeSkill,
  runSkill,
  updateSkill,
  type InstalledSkill,
} from '#skills/contract';
import { getRun } from '#runs/contract';
import { validateWorkflow } from '#workflows/contract';
import { folder, startAgent, type Agent } from './agent.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples', 'skills');

const EVERYTHING = `
import { skill, type Json } from '#skill';
export default skill<Json, { readonly baseUrl: string }>({
  async run({ config: { baseUrl }, context }) {
    const fetched = (await context.fetch(baseUrl + '/v0/topstories.json')).status;
    const posted = await context.effect({ name: 'make', method: 'POST', url: baseUrl + '/make', body: { a: 1 } });
    const model = (await context.llm.complete('Summarise: the harbour is open again.')).length > 0;
    let text = '';
    for await (const piece of context.llm.stream('Say something')) text += piece;
    await context.memory.add({ kind: 'news_item', text: 'The harbour is open again.' });
    const language = await context.setting('owner.language');
    const { output: counted } = await context.call('word_statistics', { input: 'one two three' });
    const words = (counted as { words: number }).words;
    const called = await context.call('notify', { input: 'x' }).then(() => 'ALLOWED', (error) => error.code);
    return { outcome: 'on_success', output: { fetched, posted, model, streamed: text.length > 0, language, words, called } };
  },
});
`;

describe('installed skills', () => {
  const opened = new AsyncDisposableStack();
  let agent: Agent;
  let home: string;
  let api: Server;
  let base: string;
  const posts: unknown[] = [];

  before(async () => {
    home = opened.use(await folder()).path;
    agent = opened.use(await startAgent({ home }));
    api = createServer((request, answer) => {
      const { url = '' } = request;
      if (url.startsWith('/moved'))
        return answer.writeHead(302, { location: `http://localhost:${(api.address() as AddressInfo).port}/v0/topstories.json` }).end();
      if (request.method === 'POST') {
        let body = '';
        request.setEncoding('utf8').on('data', (text: string) => (body += text));
        request.on('end', () =>
          posts.push({ method: 'POST', key: /^[0-9a-f]{32}$/.test(String(request.headers['idempotency-key'])), body }),
        );
      }
      const [, id] = /item\/(\d+)/.exec(url) ?? [];
      const told = id === undefined ? [1, 2, 3] : { id: Number(id), type: 'story', title: `Story ${id}`, score: Number(id) };
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    opened.defer(() => void api.close());
    base = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  });
  after(() => opened.disposeAsync());

  async function install(path: string): Promise<InstalledSkill> {
    const { checksum } = await agent.client.call(previewSkill, { folder: path });
    return agent.client.call(installSkill, { folder: path, checksum });
  }

  it('come in, run under policy and labels, and go, without a restart', async () => {
    const { client } = agent;
    await install(join(EXAMPLES, 'hacker_news'));
    const kinds = new Map((await client.call(listSkills, {})).items.map((it) => [it.name, it.kind]));
    assert.equal(kinds.get('hacker_news'), 'installed');

    const run = await client.call(runSkill, { name: 'hacker_news', config: { count: 2, minScore: 2, baseUrl: base } });
    assert.deepEqual([run.outcome, (run.output as { title: string }[]).map(({ title }) => title)], ['on_items', ['Story 2', 'Story 3']]);
    assert.ok(run.labels.includes('untrusted'));
    await assert.rejects(client.call(runSkill, { name: 'hacker_news', config: { cuont: 2 } }), { code: 'skill.bad_config' });
    await assert.rejects(client.call(runSkill, { name: 'hacker_news', config: { baseUrl: `${base}/moved#` } }), {
      code: 'skill.host_not_declared',
    });

    const definition = { name: 'reads', steps: [{ id: 'read', skill: 'hacker_news', config: { count: 3 }, next: { on_empty: 'end' } }] };
    assert.deepEqual((await client.call(validateWorkflow, { definition })).issues, []);
    await client.call(removeSkill, { name: 'hacker_news' });
    const { issues } = await client.call(validateWorkflow, { definition });
    assert.match(issues[0]!.message, /there is no skill "hacker_news": it was removed/);
    await assert.rejects(client.call(getSkill, { name: 'hacker_news' }), { code: 'skill.unknown' });
    assert.ok(!(await readdir(join(home, 'skills'))).includes('hacker_news'));
    const { items } = await client.call(listAudit, { limit: 100 });
    const acts = new Set(items.map(({ action }) => action));
    for (const act of ['skills.install', 'skills.remove', 'policy.grant', 'policy.revoke', 'policy.allow']) assert.ok(acts.has(act), act);
  });

  it('reach all that was approved, by the same road as built-in skills', async () => {
    const { client } = agent;
    const source = opened.use(await folder()).path;
    const grants = ['net:fetch', 'net:post', 'llm:call', 'memory:read', 'memory:write', 'channel:send', 'skill:call', 'settings:read'];
    const manifest = {
      name: 'everything',
      version: '1.0.0',
      description: 'Uses all there is.',
      grants,
      hosts: ['@config'],
      skills: ['word_statistics'],
      settings: ['owner.language'],
    };
    await writeFile(
      join(source, 'skill.json'),
      JSON.stringify({ ...manifest, config: { type: 'object', properties: { baseUrl: { type: 'string' } } } }),
    );
    await writeFile(join(source, 'main.ts'), EVERYTHING);
    await install(join(EXAMPLES, 'word_statistics'));
    await install(source);
    const run = await client.call(runSkill, { name: 'everything', config: { baseUrl: base } });
    const output = run.output as Record<string, unknown>;
    assert.deepEqual(output, {
      fetched: 200,
      posted: { status: 200, body: '[1,2,3]' },
      model: true,
      streamed: true,
      language: 'en',
      words: 3,
      called: 'skill.not_declared',
    });
    assert.deepEqual(posts, [{ method: 'POST', key: true, body: '{"a":1}' }]);
    const { effects } = await client.call(getRun, { id: run.runId });
    assert.deepEqual(
      effects.map(({ kind, status }) => `${kind} ${status}`).filter((it) => it.startsWith('http')),
      ['http.post done'],
    );
  });

  it('are updated in place, and disabled and told of when somebody changed them', async () => {
    const { client } = agent;
    const source = opened.use(await folder()).path;
    await cp(join(EXAMPLES, 'template'), source, { recursive: true });
    await install(source);
    const greet = () => client.call(runSkill, { name: 'template', input: 'Ada' });
    assert.deepEqual((await greet()).output, { text: 'Hello, Ada!' });

    const manifest = JSON.parse(await readFile(join(source, 'skill.json'), 'utf8')) as object;
    await writeFile(join(source, 'skill.json'), JSON.stringify({ ...manifest, version: '0.2.0' }));
    await writeFile(join(source, 'main.ts'), (await readFile(join(source, 'main.ts'), 'utf8')).replace('}!`', '}?`'));
    assert.deepEqual((await greet()).output, { text: 'Hello, Ada!' }, 'the source is not what runs');
    const { checksum } = await client.call(previewSkill, { folder: source });
    await client.call(updateSkill, { name: 'template', folder: source, checksum });
    assert.deepEqual((await greet()).output, { text: 'Hello, Ada?' });

    await appendFile(join(home, 'skills', 'template', '0.2.0', 'main.ts'), '\n');
    await assert.rejects(greet(), (error: AppError) => error.code === 'skill.tampered');
    await assert.rejects(greet(), (error: AppError) => error.code === 'skill.disabled');
    const { items } = await client.call(listInstalledSkills, {});
    assert.equal(items.find(({ name }) => name === 'template')!.state, 'disabled');
    const told = await client.call(listNotifications, { limit: 10 });
    assert.ok(told.items.some(({ title }) => title.includes('tampered')));
  });
});
