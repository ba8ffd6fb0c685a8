import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { folder, startAgent } from '../agent.ts';
import { missingBrowser, openBrowser } from './browser.ts';
import { setPassword } from './setup.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('a real browser over TLS', { skip: await missingBrowser() }, () => {
  let browser: Browser;
  before(async () => {
    await promisify(execFile)(process.execPath, [join(ROOT, 'tools', 'build-web.ts'), '--if-missing']);
    browser = await openBrowser();
  });
  after(() => browser.close());

  const linkIn = (said: string): string => /\S+#login=\S+/.exec(said)![0];

  it('comes in by the link, keeps its cookie to this host and to TLS, and leaves no secret in an address', async () => {
    await using home = await folder();
    await using agent = await startAgent({ home: home.path, env: { CASTELLAN_TLS: 'on' } });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => void asked.push(request.url()));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    const link = linkIn(agent.said());
    await setPassword(page, link);
    const [cookie] = await context.cookies();
    assert.deepEqual(
      [cookie!.name, cookie!.secure, cookie!.httpOnly, cookie!.sameSite, cookie!.path],
      ['__Host-castellan', true, true, 'Strict', '/'],
    );
    await page.goto(`${agent.url}/system`);
    await page.getByText('TLS, own certificate').waitFor();
    await page.getByRole('button', { name: 'New certificate' }).click();
    await page.getByLabel('For which browser').fill('Phone');
    await page.getByRole('button', { name: 'Make it' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    assert.equal((await download).suggestedFilename(), 'Phone.p12');
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('button', { name: 'Revoke the certificate of Phone' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('Phone comes in no more.').waitFor();
    await page.getByText('Revoked', { exact: true }).first().waitFor();
    const code = new URL(link).hash.replace('#login=', '');
    assert.deepEqual(
      asked.filter((url) => new URL(url).search.includes(code) || url.includes(cookie!.value)),
      [],
    );
    assert.ok(!page.url().includes('#'));
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('comes in with the bundle that was made for it, and not without', async () => {
    await using home = await folder();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, 'src', 'castellan.ts'), '--home', home.path, 'certs', 'client', 'Laptop', '--out', home.path, '--json'],
      { env: { PATH: process.env['PATH'], HOME: home.path } },
    );
    const { files, password } = JSON.parse(stdout) as { files: { p12: string }; password: string };
    await using agent = await startAgent({ home: home.path, env: { CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENTS: 'certified' } });
    const stranger = await browser.newContext({ ignoreHTTPSErrors: true });
    await assert.rejects((await stranger.newPage()).goto(agent.url), /ERR_BAD_SSL_CLIENT_AUTH_CERT/);
    await stranger.close();
    const known = await browser.newContext({
      ignoreHTTPSErrors: true,
      clientCertificates: [{ origin: agent.url, pfxPath: files.p12, passphrase: password }],
    });
    await setPassword(await known.newPage(), linkIn(agent.said()));
    await known.close();
  });
});
