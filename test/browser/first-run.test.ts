import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { missingBrowser } from './browser.ts';
import { PASSWORD, setup, type Setup } from './setup.ts';

describe('The first run, in the browser', { skip: await missingBrowser(), timeout: 120_000 }, () => {
  let it_: Setup;
  before(async () => (it_ = await setup())); // from the link to the password to the first page
  after(() => it_[Symbol.asyncDispose]());

  it('shows a briefing that was made without a key or a network', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(it_.agent.url);
    const briefing = page.getByRole('region', { name: /briefing/i });
    await briefing.getByRole('link', { name: 'How it was made' }).waitFor();
    await briefing.locator('.markdown li').nth(2).waitFor(); // it has items
    await briefing.getByRole('link', { name: 'How it was made' }).click();
    await page.getByRole('heading', { level: 2, name: 'Steps' }).waitFor();
    assert.match(page.url(), /\/runs\/[0-9a-f-]{36}$/);
    await page.getByText('In plain words').click();
    await page.getByText('as a first example').waitFor();
  });

  it('switches the briefing on and off', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(it_.agent.url);
    await page.getByRole('button', { name: /Switch on the \d\d:\d\d briefing/ }).click();
    await page.getByText(/It comes every day at/).waitFor();
    const { items } = await it_.call<{ items: { name: string; enabled: boolean }[] }>('GET', '/api/workflows');
    assert.equal(items.find(({ name }) => name.includes('briefing'))?.enabled, true);
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByRole('button', { name: /Switch on/ }).waitFor();
  });

  it('takes the code of a link out of the address at once, and takes it only once', async () => {
    await using context = await it_.stranger();
    const page = await context.newPage();
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    const { url } = await it_.call<{ url: string }>('POST', '/api/login/links', {});
    const code = new URL(url).hash.slice('#login='.length);
    await page.goto(url);
    await page.getByRole('heading', { level: 1, name: /^Good / }).waitFor();
    assert.equal(page.url(), `${it_.agent.url}/`);
    assert.ok(
      addresses.every((address) => !address.includes(code)),
      'no server sees the code in an address',
    );

    await using other = await it_.stranger();
    const again = await other.newPage();
    await again.goto(url);
    await again.getByText('This link was used already').waitFor();
    assert.ok(!again.url().includes('login='));
    await again.getByLabel('Password').waitFor();
  });

  it('logs in with the password, out, and refuses a wrong one', async () => {
    await using context = await it_.stranger();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/runs`);
    await page.getByLabel('Password').fill('not my password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /password/i })
      .waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor(); // where one wanted to go
    await page.getByRole('button', { name: 'Log out' }).first().click();
    await page.getByLabel('Password').waitFor();
    assert.equal((await context.request.get(`${it_.agent.url}/api/runs`)).status(), 401);
  });

  it('says so when there were too many attempts', async () => {
    await using context = await it_.stranger();
    const page = await context.newPage();
    await page.route('**/api/login', (route) =>
      route.fulfill({
        status: 429,
        json: {
          error: { kind: 'limited', code: 'owner.too_many_attempts', message: 'Too many attempts', details: { retryAfterSeconds: 200 } },
        },
      }),
    );
    await page.goto(it_.agent.url);
    await page.getByLabel('Password').fill('whatever it is');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Try again in 4 minutes').waitFor();
  });

  it('tells of what happens without being reloaded, and lets the owner answer', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(it_.agent.url);
    await page.getByRole('heading', { level: 2, name: 'Last runs' }).waitFor();
    const definition = { name: 'asks', title: 'Asks the owner', steps: [{ id: 'ask', approval: { question: 'Shall it go out?' } }] };
    await it_.call('POST', '/api/workflows', { definition, enabled: true });
    const run = await it_.call<{ id: string }>('POST', '/api/workflows/asks/runs', {});
    const question = page.getByRole('region', { name: /Asks the owner/ });
    await question.getByText('Shall it go out?').waitFor();
    await question.getByRole('button', { name: 'Approve' }).click();
    await question.waitFor({ state: 'detached' });
    await page.goto(`${it_.agent.url}/runs/${run.id}`);
    await page.getByText('Succeeded').waitFor();
  });

  it('shows the tree of its parts', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/system`);
    const row = page.getByRole('row', { name: /^http http:/ });
    await row.getByText('Running').waitFor();
    const providers = page.getByRole('region', { name: 'Model providers' });
    await providers.getByText('No provider yet').waitFor();
    await providers.getByText(/ are off$/).click();
    await providers.getByRole('button', { name: 'Test' }).first().waitFor();
    await page.getByRole('region', { name: 'Channels' }).getByText('Connected').first().waitFor();
  });
});
