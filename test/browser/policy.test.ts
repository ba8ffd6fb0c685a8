import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { missingBrowser } from './browser.ts';
import { PASSWORD, setup, type Setup } from './setup.ts';

/** Sends to an address that a feed brought. */
const definition = {
  name: 'careless',
  title: 'Careless forwarding',
  steps: [
    { id: 'read', name: 'Read the feed', skill: 'rss_fetch', config: { maxItems: 3 } },
    { id: 'send', name: 'Send it on', skill: 'notify', config: { to: '{{ input[0].id }}' } },
  ],
  resources: [{ name: 'Wire', type: 'rss_feed', url: 'file:examples/feeds/wire-world.xml', metadata: { recentHours: 0 } }],
};

describe('the page Policy', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let bed: Setup;
  let context: BrowserContext;
  let page: Page;
  before(async () => {
    bed = await setup();
    await bed.call('POST', '/api/workflows', { definition, enabled: true });
    await bed.call('POST', '/api/workflows/careless/runs', {});
    context = await bed.owner();
    page = await context.newPage();
    await page.goto(`${bed.agent.url}/policy`);
  });
  after(() => bed[Symbol.asyncDispose]());

  it('shows the question with the way the text took', async () => {
    const question = page.getByRole('region', { name: 'Careless forwarding' });
    await question.waitFor();
    assert.match((await question.textContent())!, /channel:send/);
    assert.match((await question.textContent())!, /Untrusted text.*rss_fetch → read → send/);
  });

  it('“Always allow this” needs the password and makes one narrow grant', async () => {
    await page.getByRole('button', { name: 'Always allow this' }).click();
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    const grants = page.getByRole('region', { name: 'Grants' });
    await grants.getByText('Answered "always allow this"').waitFor();
    assert.match((await grants.textContent())!, /AllowCareless forwarding channel:send on default:/);
    await page.getByRole('region', { name: 'Questions that were asked' }).getByText('Always allow this').waitFor();
  });

  it('says what would be decided, and why', async () => {
    const card = page.getByRole('region', { name: 'What would be decided?' });
    await card.getByLabel('Who').fill('workflow:some');
    await card.getByLabel('May do').fill('shell:run');
    await card.getByLabel('Untrusted text').check();
    await card.getByRole('button', { name: 'Decide' }).click();
    await card.getByText(/this would run a command/).waitFor();
    assert.match((await card.textContent())!, /Ask/);
    await card.getByLabel('May do').fill('no capability');
    await card.getByRole('button', { name: 'Decide' }).click();
    await card.getByText(/a capability is/).waitFor();
  });

  it('a grant is made and revoked, with the keyboard', async () => {
    await page.getByRole('button', { name: 'New grant' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Refuse', { exact: true }).click();
    await dialog.getByLabel('Who').fill('workflow:*');
    await dialog.getByLabel('May do').fill('net:post');
    await dialog.getByLabel('On', { exact: true }).fill('*.example.com');
    await page.keyboard.press('Enter');
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    const revoke = page.getByRole('button', { name: 'Revoke: Every workflow: net:post' });
    await revoke.waitFor();
    await revoke.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).press('Enter');
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await revoke.waitFor({ state: 'detached' });
  });
});
