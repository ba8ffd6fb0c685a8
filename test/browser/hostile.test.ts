import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { missingBrowser } from './browser.ts';
import { setup, type Setup } from './setup.ts';

/** What a page of somebody else tries, in the owner's browser. Tells which requests it could read. */
const ATTACK = `async (agent) => {
  const workflow = JSON.stringify({ definition: { name: 'planted', steps: [{ id: 'a', wait: { forMs: 1 } }] }, enabled: true });
  const tries = {
    read: () => fetch(agent + '/api/runs', { credentials: 'include' }),
    health: () => fetch(agent + '/health', { credentials: 'include' }),
    session: () => fetch(agent + '/api/session', { credentials: 'include' }),
    json: () => fetch(agent + '/api/workflows', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: workflow }),
    text: () => fetch(agent + '/api/workflows', { method: 'POST', credentials: 'include', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: workflow }),
    beacon: async () => (navigator.sendBeacon(agent + '/api/workflows', new Blob([workflow], { type: 'text/plain' })), Promise.reject()),
    logout: () => fetch(agent + '/api/logout', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' }),
  };
  const couldRead = [];
  for (const [name, attempt] of Object.entries(tries)) {
    const answer = await attempt().catch(() => null);
    if (answer && answer.type !== 'opaque') couldRead.push(name);
  }
  const form = Object.assign(document.createElement('form'), { method: 'POST', action: agent + '/api/workflows', enctype: 'text/plain', target: 'sink' });
  form.append(Object.assign(document.createElement('input'), { name: workflow.slice(0, -1) + ',"x":"', value: '"}' }));
  document.body.append(Object.assign(document.createElement('iframe'), { name: 'sink' }), form);
  form.submit();
  document.body.append(Object.assign(document.createElement('iframe'), { name: 'framed', src: agent + '/' }));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return couldRead;
}`;

/** Puts the markup and scripts of its own into the page, past everything that would have kept them out. Tells what the policy refused. */
const INJECT = `async (markup) => {
  const refused = new Set();
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.add(effectiveDirective));
  document.body.insertAdjacentHTML('beforeend', markup);
  document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.pwned=1' }));
  document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,window.pwned=1' }));
  await fetch('http://127.0.0.1:9/').catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  return [...refused];
}`;

const MARKUP =
  '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><a href="javascript:window.pwned=1">go</a><svg onload="window.pwned=1">';
const MARKDOWN = `# A title ${MARKUP}\n\n${MARKUP}\n\n[click](javascript:window.pwned=1) [data](data:text/html,<script>parent.pwned=1</script>) ![beacon](http://203.0.113.7/pixel.png)\n\n<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>\n\n- an honest item`;

describe('What means harm, in the browser', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  before(async () => (it_ = await setup()));
  after(() => it_[Symbol.asyncDispose]());

  for (const host of ['localhost', '127.0.0.1'])
    it(`can do nothing from a page on another origin (${host === 'localhost' ? 'another site' : 'the same site, another port'})`, async () => {
      await using page = await foreignPage(host);
      await using context = await it_.owner();
      const tab = await context.newPage();
      await tab.goto(page.url);
      const couldRead = (await tab.evaluate(`(${ATTACK})(${JSON.stringify(it_.agent.url)})`)) as string[];
      assert.deepEqual(couldRead, []);
      const framed = tab.frames().find((frame) => frame.name() === 'framed');
      assert.ok(!framed?.url().startsWith(it_.agent.url), 'the interface is not framed');
      const { items } = await it_.call<{ items: { name: string }[] }>('GET', '/api/workflows');
      assert.ok(!items.some(({ name }) => name === 'planted'), 'nothing was planted');
      assert.equal((await context.request.get(`${it_.agent.url}/api/runs`)).status(), 200, 'the owner is still logged in');
    });

  it('stays text in titles, questions, inputs and results', async () => {
    const definition = {
      name: 'hostile',
      title: `Title ${MARKUP}`,
      steps: [
        { id: 'pass', name: MARKUP, wait: { forMs: 1 } },
        { id: 'ask', approval: { question: MARKUP } },
      ],
    };
    await it_.call('POST', '/api/workflows', { definition, enabled: true });
    const run = await it_.call<{ id: string }>('POST', '/api/workflows/hostile/runs', { input: { markdown: MARKDOWN } });
    await using context = await it_.owner();
    const page = await context.newPage();
    const outside = watchOutside(page, it_.agent.url);
    for (const path of ['/', '/runs', `/runs/${run.id}`]) {
      await page.goto(it_.agent.url + path);
      await page.getByText('onerror').filter({ visible: true }).first().waitFor();
      await openAll(page);
      await assertUnharmed(page);
    }
    assert.deepEqual(outside, []);
  });

  it('stays text in Markdown', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    const outside = watchOutside(page, it_.agent.url);
    await page.route('**/api/runs/*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), output: MARKDOWN } });
    });
    await page.goto(it_.agent.url);
    await page.getByText('an honest item').waitFor();
    await assertUnharmed(page);
    for (const link of await page.locator('.markdown a').all())
      assert.doesNotMatch((await link.getAttribute('href')) ?? '', /^(javascript|data):/i);
    assert.equal(await page.locator('.markdown :is(img, iframe, script, svg)').count(), 0);
    assert.deepEqual(outside, []);
  });

  it('would not run even if it came into the page', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(it_.agent.url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const refused = (await page.evaluate(`(${INJECT})(${JSON.stringify(MARKUP)})`)) as string[];
    for (const directive of ['script-src-attr', 'script-src-elem', 'connect-src'])
      assert.ok(refused.includes(directive), `${directive} in ${refused.join(', ')}`);
    assert.equal(await page.evaluate('window.pwned'), undefined);
  });

  it('finds no code of ours that the policy refuses', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on(
      'console',
      (message) => message.type() === 'error' && /policy|nonce|refused/i.test(message.text()) && complaints.push(message.text()),
    );
    for (const path of ['/', '/chat', '/runs', '/system']) {
      await page.goto(it_.agent.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await openAll(page);
    }
    assert.deepEqual(complaints, []);
  });
});

/** A page of somebody else. */
async function foreignPage(host: string): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>'),
  );
  await once(server.listen(0, host === 'localhost' ? 'localhost' : '127.0.0.1'), 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Every request that leaves for another place. */
function watchOutside(page: Page, own: string): string[] {
  const outside: string[] = [];
  page.on('request', (request) => !request.url().startsWith(own) && !request.url().startsWith('data:') && outside.push(request.url()));
  return outside;
}

async function openAll(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click();
}

async function assertUnharmed(page: Page): Promise<void> {
  await page.waitForTimeout(200); // an onerror comes a moment later
  assert.equal(await page.evaluate('window.pwned'), undefined);
  assert.equal(await page.locator('main img[src="x"], main script, main svg[onload], main iframe').count(), 0);
}
