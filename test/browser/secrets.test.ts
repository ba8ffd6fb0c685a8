import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startFakeAuthority, type FakeAuthority } from '../../src/domain/vault/fake-authority.ts';
import { missingBrowser } from './browser.ts';
import { setup, type Setup } from './setup.ts';

const VALUE = 'Quiet-Otter-77-Lamp-Brick-042';

describe('Secrets, connections and the audit in the browser', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  let authority: FakeAuthority;
  before(async () => {
    it_ = await setup();
    authority = await startFakeAuthority(() => Date.now());
  });
  after(async () => {
    await authority[Symbol.asyncDispose]();
    await it_[Symbol.asyncDispose]();
  });

  it('a secret is sealed by hand, and the page never shows it again', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/secrets`);
    await page.getByRole('button', { name: 'Add a secret' }).click();
    await page.getByLabel('Name', { exact: true }).fill('github-token');
    await page.getByLabel('Value', { exact: true }).fill(VALUE);
    await page.getByLabel('Who may use it').fill('nobody');
    await page.getByRole('button', { name: 'Seal it' }).click();
    await page.getByText(/scope: write "any"/).waitFor();
    assert.equal(await page.getByLabel('Value', { exact: true }).inputValue(), '', 'what was refused is not kept in the field');
    await page.getByLabel('Who may use it').fill('skill:web_fetch');
    await page.getByLabel('Value', { exact: true }).fill(VALUE);
    await page.getByRole('button', { name: 'Seal it' }).click();
    await page.getByRole('button', { name: 'Rotate github-token' }).first().waitFor();
    assert.ok(!(await page.content()).includes(VALUE));
  });

  it('a service is connected and comes back; the code stays in no address', async () => {
    await it_.call('PUT', '/api/secrets/client', { value: 'client-secret-0815', scope: 'connection:*' });
    const client = {
      authorizeUrl: `${authority.url}/authorize`,
      tokenUrl: `${authority.url}/token`,
      issuer: authority.url,
      clientId: 'castellan',
      clientSecret: '@secret:client',
    };
    await it_.call('PUT', '/api/connections/calendar', { client });
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/secrets`);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('heading', { name: 'calendar is connected' }).waitFor();
    assert.equal(page.url(), `${it_.agent.url}/connections/callback`);
    await page.getByRole('link', { name: 'To the secrets' }).click();
    await page.getByText('Connected', { exact: true }).waitFor();
  });

  it('a grant that was begun in one browser is not completed in another', async () => {
    const { url } = await it_.call<{ url: string }>('POST', '/api/connections/calendar/start', {});
    const back = await authority.approve(url);
    await using context = await it_.stranger();
    const page = await context.newPage();
    await page.goto(it_.agent.url + back.pathname + back.search);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    assert.ok(!(await page.content()).includes('is connected'));
  });

  it('the audit is filtered and checked while one looks on', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/audit`);
    await page.getByRole('button', { name: 'Check the chain' }).click();
    await page.getByText(/The chain of \d+ entries is whole/).waitFor();
    await page.getByLabel('What', { exact: true }).fill('vault.set');
    await page.getByText('secret:github-token').first().waitFor();
    await page.getByText('workflow.create').first().waitFor({ state: 'detached' });
    await page.getByLabel('Words').fill('nothing has these words');
    await page.getByText('No entry matches.').waitFor();
  });
});
