import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { startAgent, type Agent } from './agent.ts';
import { openBrowser } from './browser.ts';

export const PASSWORD = 'velvet orchard tram 7';

const ROOT = join(import.meta.dirname, '..', '..');

/** An agent, a browser, and the owner logged in. */
export interface Setup extends AsyncDisposable {
  readonly agent: Agent;
  readonly browser: Browser;
  /** A browser profile of its own, with the owner's session. */
  owner(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A profile that knows nothing. */
  stranger(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Calls the API as the owner's page does. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The same with the password as the second factor that a sensitive act needs. */
  prove<T>(method: string, path: string, body?: unknown): Promise<T>;
}

export async function setup(): Promise<Setup> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools', 'build-web.ts'), '--if-missing']);
  const agent = await startAgent();
  const browser = await openBrowser();
  const first = await browser.newContext();
  await setPassword(await first.newPage(), agent.loginUrl);
  const storageState = await first.storageState();
  const { csrfToken } = (await (await first.request.get(`${agent.url}/api/session`)).json()) as { csrfToken: string };

  async function send<T>(method: string, path: string, body: unknown, more: Readonly<Record<string, string>> = {}): Promise<T> {
    const headers = { accept: 'application/json', 'x-csrf-token': csrfToken, origin: agent.url, ...more };
    const response = await first.request.fetch(agent.url + path, { method, headers, ...(body !== undefined && { data: body }) });
    if (!response.ok()) throw new Error(`${method} ${path}: ${response.status()} ${await response.text()}`);
    return (await response.json()) as T;
  }

  return {
    agent,
    browser,
    owner: (options = {}) => browser.newContext({ storageState, ...options }),
    stranger: (options = {}) => browser.newContext(options),
    call: (method, path, body) => send(method, path, body),
    prove: (method, path, body) => send(method, path, body, { 'castellan-factor': PASSWORD }),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await agent[Symbol.asyncDispose]();
    },
  };
}

/** From the printed link to the first page, as a person does it. */
export async function setPassword(page: Page, loginUrl: string): Promise<void> {
  await page.goto(loginUrl);
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('heading', { level: 1, name: /^Good / }).waitFor();
}
