import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { BrowserContext, Page } from 'playwright-core';
import { missingBrowser } from './browser.ts';
import { PASSWORD, setup, type Setup } from './setup.ts';

describe('Security, in the browser', { skip: await missingBrowser(), timeout: 180_000 }, () => {
  let it_: Setup;
  let secret = '';
  const codes: string[] = [];
  before(async () => (it_ = await setup()));
  after(() => it_[Symbol.asyncDispose]());

  /** The next code counts too, so that one test need not wait for the clock after another. */
  const code = (steps = 0): string => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 });
  /** Passkeys are bound to a name; 127.0.0.1 is none. */
  const localhost = (): string => it_.agent.url.replace('127.0.0.1', 'localhost');
  const factorDialog = (page: Page) => page.getByRole('dialog', { name: 'Confirm that it is you' });

  it('sets up an authenticator app, guarded by the password', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/security`);
    await page.getByText('No second factor').waitFor();
    await page.getByRole('link', { name: /^http:\/\/localhost/ }).waitFor(); // there could be passkeys
    await page.getByRole('button', { name: 'Set up' }).click();
    await factorDialog(page).getByLabel('Your password').fill('not my password');
    await factorDialog(page).getByRole('button', { name: 'Confirm' }).click();
    await factorDialog(page).getByText('Not the right password').waitFor();
    await factorDialog(page).getByLabel('Your password').fill(PASSWORD);
    await factorDialog(page).getByRole('button', { name: 'Confirm' }).click();
    const dialog = page.getByRole('dialog', { name: 'Authenticator app' });
    const picture = dialog.getByRole('img', { name: 'QR code for the authenticator app' });
    await picture.waitFor();
    await picture.evaluate('(element) => element.decode()'); // the policy of the page lets it be seen
    secret = (await dialog.locator('.select-all').innerText()).replaceAll(' ', '');
    await dialog.getByLabel('Six digits').fill('000000');
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.getByText('not the one the app shows now').waitFor();
    await dialog.getByLabel('Six digits').fill(code());
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    const kept = page.getByRole('dialog', { name: 'Your recovery codes' });
    await kept.waitFor();
    codes.push(...(await kept.getByRole('listitem').allInnerTexts()));
    assert.equal(codes.length, 10);
    await kept.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('Guarded by a second factor').waitFor();
    await page.getByText('10 of 10 left').waitFor();
  });

  it('asks for it after the password', async () => {
    await using context = await it_.stranger();
    const page = await context.newPage();
    await page.goto(it_.agent.url);
    await password(page);
    await page.getByLabel('Code').fill('000000');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'Not a code of now' }).waitFor();
    assert.equal((await context.request.get(`${it_.agent.url}/api/runs`)).status(), 401, 'the password alone opens nothing');
    await page.getByLabel('Code').fill(code(1));
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: /^Good / }).waitFor();
  });

  it('enrols a passkey, comes in by it without a password, and confirms an act with it', async () => {
    await using context = await it_.stranger();
    const page = await context.newPage();
    await virtualAuthenticator(context, page);
    await page.goto(`${localhost()}/security`);
    await password(page);
    await page.getByLabel('Code').fill(codes[0]!);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    const adding = page.getByRole('dialog', { name: 'Add a passkey' });
    await adding.getByLabel('Name of the passkey').fill('Test key');
    await adding.getByRole('button', { name: 'Add a passkey' }).click();
    await factorDialog(page).getByLabel('Code').fill(codes[1]!);
    await factorDialog(page).getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('Test key').first().waitFor();
    await adding.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Rename Test key' }).click();
    await page.getByRole('dialog', { name: 'Rename' }).getByLabel('Name of the passkey').fill('Laptop');
    await page.getByRole('dialog', { name: 'Rename' }).getByRole('button', { name: 'Rename' }).click();
    await page.getByText('Laptop').first().waitFor();

    await page.getByRole('button', { name: 'Log out', exact: true }).first().click();
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
    await page.getByText('by passkey').first().waitFor();

    await page.getByRole('button', { name: 'New token' }).click();
    const making = page.getByRole('dialog', { name: 'New token' });
    await making.getByLabel('What it is for').fill('backup script');
    await making.getByRole('button', { name: 'Make it' }).click();
    await factorDialog(page).getByRole('button', { name: 'Use a passkey' }).click();
    await page
      .getByRole('dialog', { name: 'Your new token' })
      .getByText(/^castellan_[\w-]{43}$/)
      .waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('backup script').waitFor();
  });

  it('gives up when the question is closed, and the act is not done', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/security`);
    await page.getByRole('button', { name: 'Make new ones' }).click();
    await factorDialog(page).getByLabel('Code').waitFor();
    await page.keyboard.press('Escape');
    await factorDialog(page).waitFor({ state: 'detached' });
    await page.getByText('8 of 10 left').waitFor();
  });

  it('logs the other browsers out', async () => {
    await using context = await it_.owner();
    const page = await context.newPage();
    await page.goto(`${it_.agent.url}/security`);
    await page.getByText('this one').waitFor();
    await page.getByRole('button', { name: 'Log out all others' }).click();
    await page
      .getByText(/logged out\./)
      .first()
      .waitFor();
    const { items } = await it_.call<{ items: unknown[] }>('GET', '/api/sessions');
    assert.equal(items.length, 1);
  });

  async function password(page: Page): Promise<void> {
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'One more step' }).waitFor();
  }

  /** An authenticator of the browser's own, which says yes to everything (Chrome DevTools Protocol, WebAuthn). */
  async function virtualAuthenticator(context: BrowserContext, page: Page): Promise<void> {
    const session = await context.newCDPSession(page);
    await session.send('WebAuthn.enable');
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }
});
