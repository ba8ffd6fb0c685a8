import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { missingBrowser } from './browser.ts';
import { PASSWORD, setup, type Setup } from './setup.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples', 'skills');

describe('Skills', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  before(async () => (it_ = await setup()));
  after(() => it_[Symbol.asyncDispose]());

  async function install(page: Page, folder: string): Promise<void> {
    await page.goto(`${it_.agent.url}/skills`);
    await page.getByRole('button', { name: 'Install a skill' }).click();
    await page.getByLabel('Folder').fill(folder);
    await page.getByRole('button', { name: 'Look at it' }).click();
  }

  it('are looked at, approved with the second factor, and installed', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await install(page, join(EXAMPLES, 'hacker_news'));
    const asks = page.getByRole('region', { name: 'What it asks for' });
    await asks.getByText('hacker-news.firebaseio.com').waitFor();
    await page.getByRole('button', { name: 'Approve and install' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/password/i).fill(PASSWORD);
    await dialog.getByRole('button', { name: /confirm/i }).click();
    await page.getByRole('heading', { level: 1, name: 'Hacker News stories' }).waitFor();
    await page.getByText('Ready').waitFor();
    await page.goto(`${it_.agent.url}/skills`);
    await page.getByRole('link', { name: /Hacker News stories/ }).waitFor();
  });

  it('say what is wrong with a folder, by field', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await install(page, '/nowhere');
    await page.getByText(/is not a folder/).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Approve and install' }).count(), 0);
  });
});
