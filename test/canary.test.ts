// Secrets planted wherever an owner could paste one or a page, a message or a model could bring one: none may be found afterwards, in the home
// folder, in an answer, in a stream, in what was said to the model or sent to a chat. What is planted is put together here, so that no
// file of the project holds anything that a code host would take for leaked.
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { fakeTelegram, FAKE_TOKEN } from '#channels/testing';
import { pairAnywhere } from '#channels/contract';
import { startFakeLlm, type FakeRequest, type Reply } from '#llm/testing';
import { getRun, isOver } from '#runs/contract';
import { createWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

/** The vault's own: of no form that a scanner could know. */
const MODEL_KEY = 'Quiet-Otter-77-Lamp-Brick-041';
const VAULT_VALUE = 'seven tired "owls" & 3 lanterns';
const OWNER = 4711;

const letters = (seed: number, count: number): string =>
  Array.from({ length: count }, (_, at) => 'aB3dE5gH7jK9mN2pQ4rS6tV8wX'.charAt((seed * 7 + at * 11 + at * at) % 26)).join('');

/** Known by their form only. */
const FOREIGN = {
  github: `ghp_${letters(1, 36)}`,
  stripe: `sk_live_${letters(2, 24)}`,
  aws: `AKIA${'Q7WZ2M4XKJ5NPT3V'}`,
  slack: `xoxb-${'731964205813'}-${'902746183550'}-${letters(3, 24)}`,
  database: `pw${letters(4, 18)}`,
  jwt: `eyJ${letters(5, 30)}.eyJ${letters(6, 40)}.${letters(7, 43)}`,
  password: `Hd-${letters(8, 14)}!`,
  pem: `MIIEvAIBADANBgkqhkiG9w0B${letters(9, 40)}`,
};

/** How somebody would paste them all. */
const PASTED = [
  `the token is ${FOREIGN.github} and for money ${FOREIGN.stripe}`,
  `aws: ${FOREIGN.aws}`,
  `SLACK=${FOREIGN.slack}`,
  `postgres://app:${FOREIGN.database}@db.internal:5432/prod`,
  `Authorization: Bearer ${FOREIGN.jwt}`,
  `password: "${FOREIGN.password}"`,
  `-----BEGIN PRIVATE KEY-----\n${FOREIGN.pem}\n${letters(10, 64)}\n-----END PRIVATE KEY-----`,
  `base64 ${Buffer.from(`key=${FOREIGN.github}`).toString('base64')} hex ${Buffer.from(FOREIGN.stripe).toString('hex')}`,
  `mine: ${VAULT_VALUE}, or ${Buffer.from(VAULT_VALUE).toString('base64')}, or ${encodeURIComponent(VAULT_VALUE)}, and ${MODEL_KEY}`,
].join('\n');

const CANARIES = [...Object.values(FOREIGN), VAULT_VALUE, MODEL_KEY];

/** What must be found nowhere: each as it is, in JSON, in an address, in hex and in base64. */
const TRACES = CANARIES.flatMap((value) => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  Buffer.from(value).toString('hex'),
  ...[0, 1, 2].map((before) =>
    Buffer.from(' '.repeat(before) + value)
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  ),
]);

const tracesIn = (text: string): string[] => TRACES.filter((trace) => text.includes(trace));

async function tracesInFolder(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(path, { recursive: true })) {
    const file = join(path, name);
    if (!(await stat(file).catch(() => null))?.isFile()) continue; // a draft may have taken its place meanwhile
    const bytes = await readFile(file);
    for (const trace of TRACES) if (bytes.includes(trace)) found.push(`${name}: ${trace}`);
  }
  return found;
}

/** A model that says what it heard, and what it should not know, letter by letter. */
function parrot({ prompt, schema, forced }: FakeRequest): Reply {
  const text = `I heard: ${prompt.slice(-400)} And I know: ${PASTED} That is all.`;
  if (schema) return { text: JSON.stringify({ answer: text }) };
  if (forced) return { toolCalls: [{ name: forced.name, input: { answer: text, password: FOREIGN.password } }] };
  return { text, chunks: 900 };
}

async function page(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      `<html><title>Keys ${FOREIGN.github}</title><body><article><h1>Keys</h1><p>${PASTED.replaceAll('\n', '</p><p>')}</p></article></body></html>`,
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

/** As much of an answer as is looked at. */
interface Answer {
  readonly id: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly items: readonly { readonly id: string }[];
  readonly paths: Readonly<Record<string, object>>;
}

/** The words of a stream of events put together again: what was cut into pieces is whole in them. */
function wordsOf(stream: string): string {
  const pieces = [...stream.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data!) as Streamed);
  return pieces.map(({ text, choices }) => text ?? choices?.[0]?.delta?.content ?? '').join('');
}

interface Streamed {
  readonly text?: string;
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
}

/** Follows a stream until it is left. */
function listen({ url, token }: Agent, path: string): { said(): string; leave(): void } {
  const leaving = new AbortController();
  let said = '';
  void (async () => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` }, signal: leaving.signal });
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) said += chunk;
  })().catch(() => {});
  return { said: () => said, leave: () => leaving.abort() };
}

it('no planted secret is found anywhere afterwards', async (t) => {
  await using home = await folder();
  await using fake = await startFakeLlm({ script: parrot });
  await using telegram = await fakeTelegram();
  await using site = await page();
  await using agent = await startAgent({
    home: home.path,
    env: {
      OPENAI_API_KEY: MODEL_KEY,
      OPENAI_BASE_URL: `${fake.url}/v1`,
      TELEGRAM_BOT_TOKEN: FAKE_TOKEN,
      TELEGRAM_API_ROOT: telegram.root,
    },
  });
  const answers: { readonly path: string; readonly text: string }[] = [];
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Answer }> {
    const response = await fetch(agent.url + path, {
      method,
      headers: { authorization: `Bearer ${agent.token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    answers.push({ path: `${method} ${path}`, text });
    const words = wordsOf(text);
    if (words !== '') answers.push({ path: `${method} ${path}, put together`, text: words });
    let read: unknown = text;
    try {
      read = JSON.parse(text);
    } catch {
      // a stream
    }
    return { status: response.status, body: read as Answer };
  }
  const events = listen(agent, '/api/events');
  assert.equal((await ask('PUT', '/api/secrets/lanterns', { value: VAULT_VALUE })).status, 200);

  await t.test('what is written by hand with a secret in it is refused, with the offer of the vault', async () => {
    for (const secret of [FOREIGN.github, `postgres://app:${FOREIGN.database}@db/x`, VAULT_VALUE, `Bearer ${FOREIGN.jwt}`]) {
      const definition = { name: 'leaky', steps: [{ id: 'say', skill: 'llm_transform', prompt: `Use ${secret} for it` }] };
      const { status, body } = await ask('POST', '/api/workflows', { definition });
      assert.equal(status, 400, secret);
      assert.equal(body.error.code, 'workflow.invalid');
      assert.match(body.error.message, /step "say": prompt: holds .*@secret:/);
    }
    const placeholder = { name: 'echoed', steps: [{ id: 'say', skill: 'llm_transform', prompt: 'Use [redacted:github-pat]' }] };
    assert.match((await ask('POST', '/api/workflows', { definition: placeholder })).body.error.message, /stands for a secret/);
    assert.equal((await ask('PUT', '/api/settings/channels.default', { value: FOREIGN.github })).status, 400);
    assert.equal((await ask('PUT', '/api/secrets/again', { value: '[redacted:github-pat]' })).body.error.code, 'vault.not_a_secret');
    const provider = { name: 'p', kind: 'openai', model: 'x', headers: { 'x-key': FOREIGN.stripe } };
    assert.equal((await ask('POST', '/api/providers', provider)).body.error.code, 'vault.secret_in_text');
  });

  await t.test('a run: its input, its model, a page it reads, the message it sends', async () => {
    telegram.say('/run x', { from: OWNER, name: 'Ada' });
    const greeting = await eventually(
      async () => telegram.messages.map(({ text }) => /[A-Z0-9]{4}-?[A-Z0-9]{4}/.exec(text)?.[0]).find(Boolean),
      (code) => code !== undefined,
    );
    await agent.client.call(pairAnywhere, { code: greeting! });
    const { name } = await agent.client.call(createWorkflow, {
      definition: {
        name: 'canary',
        steps: [
          { id: 'read', skill: 'web_fetch', config: { url: site.url } },
          { id: 'say', skill: 'llm_transform', inputFrom: 'read', prompt: 'Repeat: {{ input }} and {{ run.input }}' },
          { id: 'send', skill: 'notify', inputFrom: 'say', config: { channel: 'telegram', text: '{{ input }}' } },
        ],
      },
    });
    for (const input of [PASTED, { nested: [{ password: FOREIGN.password, text: PASTED }] }]) {
      const { id } = await agent.client.call(startRun, { id: name, input });
      const run = await eventually(
        () => agent.client.call(getRun, { id }),
        ({ status }) => isOver(status) || status === 'waiting',
      );
      assert.ok(run.steps.length > 0, JSON.stringify(run));
      assert.ok(run.journal.some(({ type }) => type === 'secrets.taken_out'));
      const { body: told } = await ask('GET', `/api/explain/${id}`);
      assert.match(JSON.stringify(told), /were taken out before it was kept: .*\[redacted:github-pat\].*castellan secret set NAME/);
    }
    await ask('POST', `/api/workflows/${name}/runs`, { input: PASTED }, { 'idempotency-key': FOREIGN.github });
  });

  await t.test('talk: in the browser, streamed, and from a chat', async () => {
    const { body: conversation } = await ask('POST', '/api/conversations', { title: `About ${FOREIGN.github}` });
    await ask('POST', `/api/conversations/${conversation.id}/turns`, { text: PASTED });
    await ask('POST', `/api/conversations/${conversation.id}/turns`, { text: `again: ${PASTED}` }, { accept: 'application/json' });
    const heard = telegram.sentTo(OWNER).length;
    telegram.say(PASTED, { from: OWNER });
    telegram.say(`/ask ${PASTED}`, { from: 666, name: FOREIGN.github });
    await telegram.until(() => telegram.sentTo(OWNER).length > heard);
    for (const path of ['/v1/chat/completions', '/gateway/v1/chat/completions']) {
      const tools = [
        {
          type: 'function',
          function: { name: 'look', description: `Looks up ${FOREIGN.stripe}`, parameters: { type: 'object', properties: {} } },
        },
      ];
      const said = {
        messages: [{ role: 'user', content: `Say: ${PASTED}` }],
        ...(path.startsWith('/gateway') && { tools, tool_choice: 'none' }),
      };
      assert.equal(
        (await ask('POST', path, { model: path.startsWith('/v1') ? 'Castellan' : 'medium', ...said, stream: true })).status,
        200,
      );
      assert.equal((await ask('POST', path, { model: path.startsWith('/v1') ? 'Castellan' : 'medium', ...said })).status, 200);
    }
  });

  await t.test('what is remembered, named and searched for', async () => {
    await ask('POST', '/api/memories', {
      kind: 'fact',
      text: PASTED,
      title: FOREIGN.stripe,
      metadata: { password: FOREIGN.password, note: PASTED },
    });
    for (const body of [{ name: `w ${FOREIGN.github}` }, { name: 'w', folder: `/tmp/${FOREIGN.github}` }])
      assert.equal((await ask('POST', '/api/workspaces', body)).body.error.code, 'vault.secret_in_text');
    const persona = { system: PASTED, persona: '', context: '' };
    assert.equal((await ask('POST', '/api/assistants', { name: 'a', persona })).body.error.code, 'vault.secret_in_text');
    await ask('GET', `/api/memories/search?q=${encodeURIComponent(FOREIGN.github)}`);
    await ask('GET', `/api/nothing/${FOREIGN.github}?key=${encodeURIComponent(VAULT_VALUE)}`);
    await ask('POST', '/api/login', { password: FOREIGN.password });
  });

  const { paths } = (await ask('GET', '/api/openapi.json')).body;
  for (const [path, methods] of Object.entries(paths))
    if ('get' in methods && !path.includes('{') && path !== '/api/events') await ask('GET', path);
  for (const { id } of (await ask('GET', '/api/runs?limit=50')).body.items) {
    await ask('GET', `/api/runs/${id}`);
    await ask('GET', `/api/explain/${id}`);
  }
  for (const { id } of (await ask('GET', '/api/conversations')).body.items) await ask('GET', `/api/conversations/${id}/messages`);
  events.leave();

  const told = answers.flatMap(({ path, text }) =>
    tracesIn(text).map((trace) => `${path}: …${text.slice(Math.max(0, text.indexOf(trace) - 40), text.indexOf(trace) + 20)}`),
  );
  assert.deepEqual(told, [], 'in an answer');
  assert.ok(answers.filter(({ path, text }) => path.endsWith('put together') && text.includes('That is all.')).length >= 3);
  assert.ok(events.said().length > 1_000);
  assert.deepEqual(tracesIn(events.said()), [], 'in the stream of events');
  assert.ok(fake.requests.length >= 4, String(fake.requests.length));
  assert.deepEqual(tracesIn(JSON.stringify(fake.requests.map(({ body, path }) => [body, path]))), [], 'said to the model');
  assert.deepEqual(tracesIn(JSON.stringify(telegram.messages)), [], 'sent to a chat');
  assert.deepEqual(tracesIn(agent.said() + agent.log()), [], 'printed');
  assert.deepEqual(await tracesInFolder(home.path), [], 'in the home, while it runs');
  await agent.stop();
  assert.deepEqual(await tracesInFolder(home.path), [], 'in the home');
});
