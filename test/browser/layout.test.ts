import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { missingBrowser } from './browser.ts';
import { setup, type Setup } from './setup.ts';

describe('Layout and access', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  before(async () => (it_ = await setup()));
  after(() => it_[Symbol.asyncDispose]());

  it('fits a phone without scrolling sideways', async () => {
    await using context = await it_.owner({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    for (const path of await paths()) {
      await open(page, path);
      for (const summary of await page.locator('summary').all()) await summary.click();
      const { wide, room } = (await page.evaluate(
        '({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth })',
      )) as { wide: number; room: number };
      assert.ok(wide <= room, `${path} is ${wide} px wide on ${room}`);
    }
  });

  it('has every page within reach on a phone', async () => {
    await using context = await it_.owner({ viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    await open(page, '/');
    const links = page.getByRole('navigation').getByRole('link');
    assert.equal(await links.count(), 4);
    const more = page.getByRole('button', { name: 'More' });
    await more.press('Enter');
    assert.equal(await links.count(), 9);
    await page.keyboard.press('Escape');
    assert.equal(await links.count(), 4);
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'More', 'focus goes back');
    await more.tap();
    await page.getByRole('link', { name: 'Audit' }).tap();
    await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
    assert.equal(await links.count(), 4, 'it is closed again');
    assert.equal(await more.getAttribute('aria-current'), 'true');
  });

  it('keeps a tall dialog within a phone, and darkens what is behind it', async () => {
    await using context = await it_.owner({ viewport: { width: 390, height: 500 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    await open(page, '/policy');
    await page.getByRole('button', { name: 'New grant' }).tap();
    const dialog = page.getByRole('dialog');
    const box = await dialog.boundingBox();
    assert.ok(box && box.y >= 0 && box.y + box.height <= 500, JSON.stringify(box));
    await dialog.getByRole('button', { name: 'Cancel' }).scrollIntoViewIfNeeded();
    const shades = await page.evaluate(
      "[...document.querySelectorAll('[role=presentation]')].map((it) => getComputedStyle(it).backgroundColor).filter((it) => it !== 'rgba(0, 0, 0, 0)').length",
    );
    assert.equal(shades, 1);
    await dialog.getByRole('button', { name: 'Cancel' }).tap();
    await dialog.waitFor({ state: 'detached' });
  });

  it('gives everything that can be used a name', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    for (const path of await paths()) {
      await open(page, path);
      const tree = await page.locator('body').ariaSnapshot();
      const nameless = tree
        .split('\n')
        .filter((line) => /^\s*- (button|link|textbox|combobox|checkbox|radio|img|region|dialog|progressbar)(\s\[.*\])*:?$/.test(line));
      assert.deepEqual(nameless, [], `${path}:\n${tree}`);
      assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
      assert.equal(await page.getByRole('main').count(), 1);
    }
  });

  it('is used with the keyboard alone', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await open(page, '/');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    await page.getByRole('link', { name: 'Runs', exact: true }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'focus goes to the new page');
  });

  it('keeps the theme that was chosen', async () => {
    await using context = await it_.owner({ colorScheme: 'light' });
    const page = await context.newPage();
    await open(page, '/');
    const colour = (): Promise<string> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await colour();
    await page.getByRole('radio', { name: 'Dark' }).first().check({ force: true });
    const dark = await colour();
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await colour(), dark);
  });

  it('says so when an address leads nowhere, and when the agent is gone', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/no/such/page`);
    await page.getByText('Nothing is here').waitFor();
    await page.goto(`${it_.agent.url}/runs/nobody`);
    await page.getByRole('alert').waitFor();
    await page.route('**/api/events*', (route) => route.abort());
    await open(page, '/runs');
    await page.getByText('The agent does not answer').waitFor();
  });

  async function paths(): Promise<readonly string[]> {
    const { items } = await it_.call<{ items: { id: string }[] }>('GET', '/api/runs');
    const { id } = await it_.call<{ id: string }>('POST', '/api/conversations', { title: 'A talk' });
    return [
      '/',
      '/chat',
      `/chat/${id}`,
      '/runs',
      `/runs/${items[0]!.id}`,
      '/skills',
      '/skills/rss_fetch',
      '/security',
      '/policy',
      '/secrets',
      '/audit',
      '/system',
    ];
  }

  async function open(page: Page, path: string): Promise<void> {
    await page.goto(it_.agent.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('load');
  }
});
