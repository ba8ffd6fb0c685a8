import assert from 'node:assert/strict';
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
});
