import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 30_000;

/** A real agent in a process of its own, on a home of its own. */
export interface Agent extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The one-time link that it printed. */
  readonly loginUrl: string;
  readonly home: string;
  /** What it wrote to its log. */
  log(): string;
}

/** Starts an agent as a person would, with no key and no address of any provider in its environment. */
export async function startAgent(): Promise<Agent> {
  const home = await mkdtemp(join(tmpdir(), 'castellan-browser-'));
  const { PATH = '' } = process.env;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src', 'main.ts'), '--home', home, '--port', '0', '--ingress-port', '0'],
    {
      env: { PATH, HOME: home, TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));

  async function end(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    await rm(home, { recursive: true, force: true });
  }

  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= / is ready at (\S+)/.exec(line)?.[1];
    const loginUrl = /^\s*(\S+#login=\S+)/.exec(line)?.[1];
    if (url === undefined || loginUrl === undefined) continue;
    clearTimeout(late);
    child.stdout.resume();
    return { url, loginUrl, home, log: () => log, [Symbol.asyncDispose]: end };
  }
  clearTimeout(late);
  await end();
  throw new Error(`The agent did not start:\n${log}`);
}
