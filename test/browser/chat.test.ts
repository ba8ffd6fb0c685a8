import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { missingBrowser } from './browser.ts';
import { setup, type Setup } from './setup.ts';

describe('Chat, in the browser', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  before(async () => (it_ = await setup()));
  after(() => it_[Symbol.asyncDispose]());

  it('answers without any provider, says so, and keeps what was said', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/chat`);
    await page.getByLabel('Write to Castellan').fill('Which harbour is the oldest?');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/chat\/[0-9a-f-]{36}$/);
    const answer = page.getByRole('article', { name: 'Castellan' });
    await answer.getByText('Without a model').waitFor();
    assert.ok((await answer.locator('.markdown').innerText()).length > 20);

    await page.reload();
    await page.getByRole('article', { name: 'You' }).getByText('Which harbour is the oldest?').waitFor();
    await page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link', { name: /Which harbour/ })
      .waitFor();

    await page.getByLabel('Write to Castellan').fill('And the\nyoungest?');
    await page.getByRole('button', { name: 'Send' }).click();
    await answer.nth(1).getByText('Without a model').waitFor();
    assert.equal(await page.getByLabel('Write to Castellan').inputValue(), '', 'what was taken is gone from the field');
    await answer.nth(1).getByRole('link', { name: 'Its run' }).click();
    await page.getByRole('link', { name: 'Open the conversation' }).click();
    await page.waitForURL(/\/chat\//);
  });

  it('keeps the words in the field when they were not taken', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/chat`);
    await page.route('**/api/conversations', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
    await page.getByLabel('Write to Castellan').fill('Do not lose this');
    await page.keyboard.press('Enter');
    await page.getByText('The agent does not answer').waitFor();
    assert.equal(await page.getByLabel('Write to Castellan').inputValue(), 'Do not lose this');
  });

  it('shows what came to mind, what is summarised, and goes on in a copy', async () => {
    const { key, value } = await it_.call<{ key: string; value: number }>('GET', '/api/settings/agents.history_chars');
    await it_.call('PUT', `/api/settings/${key}`, { value: 1_000 });
    const { id: first } = await it_.call<{ id: string }>('POST', '/api/conversations', {});
    for (const n of [1, 2, 3, 4])
      await it_.call('POST', `/api/conversations/${first}/turns`, {
        text: `The lighthouse of Genoa, part ${n}. ${'It is old and tall. '.repeat(15)}`,
      });
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/chat`);
    await page.getByLabel('Write to Castellan').fill('What was it about the lighthouse of Genoa?');
    await page.keyboard.press('Enter');
    await page.getByText(/things? came to mind/).click();
    await page.getByRole('link', { name: 'An earlier conversation' }).first().click();
    await page.waitForURL(`**/chat/${first}`);
    await page.getByText(/reads a summary of the oldest \d+ messages/).click();

    await page.getByRole('button', { name: 'Fork from here' }).first().click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    const said = page.getByRole('article', { name: 'You' });
    await said.getByText('The lighthouse of Genoa, part 1.').waitFor();
    assert.equal(await said.count(), 1, 'what came later is not in the copy');
    await it_.call('PUT', `/api/settings/${key}`, { value });
  });

  it('shows an answer while it grows, goes on after a reload, and stops when told', async () => {
    await using model = await slowModel();
    const fields = {
      name: 'slow',
      kind: 'compatible',
      baseUrl: model.url,
      model: 'slow-1',
      tiers: ['light', 'medium', 'heavy', 'local'],
      priority: 0,
    };
    const { id } = await it_.call<{ id: string }>('POST', '/api/providers', fields);
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/chat`);
    await page.getByLabel('Write to Castellan').fill('Count for me');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('article', { name: 'Castellan' });
    // a few characters at the end are held back: they may be the beginning of a secret
    model.say('one more ');
    await answer.getByText(/^one/).waitFor();
    model.say('two more ');
    await answer.getByText(/^one more two/).waitFor();
    await page.reload();
    await answer.getByText(/^one more two/).waitFor();
    model.say('three more ');
    await answer.getByText(/^one more two more three/).waitFor();
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    await answer.getByText('Stopped').waitFor();
    await answer.getByText(/^one more two more three/).waitFor(); // what was said stays
    await it_.call('DELETE', `/api/providers/${id}`);
  });
});

/** An OpenAI-compatible server whose one model says what it is told to, when it is told to. */
async function slowModel(): Promise<{ readonly url: string; say(text: string): void } & AsyncDisposable> {
  const waiting: string[] = [];
  let tell = (): void => {};
  const server = createServer((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.method === 'GET')
      return void response.setHeader('content-type', 'application/json').end('{"data":[{"id":"slow-1","object":"model"}],"object":"list"}');
    response.setHeader('content-type', 'text/event-stream');
    response.flushHeaders();
    while (!response.destroyed) {
      const content = waiting.shift();
      if (content === undefined) await Promise.race([new Promise<void>((resolve) => (tell = resolve)), once(response, 'close')]);
      else
        response.write(
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'slow-1', choices: [{ index: 0, delta: { content } }] })}\n\n`,
        );
    }
  }
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say(text) {
      waiting.push(text);
      tell();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
