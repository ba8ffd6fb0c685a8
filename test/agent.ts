import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '#core/client';

const ROOT = join(import.meta.dirname, '..');
const LIMIT_MS = 30_000;

/** A temporary folder, gone with its holder. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'castellan-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface LaunchOptions {
  readonly home: string;
  /** Added to an environment that has nothing of this machine but its PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** As `castellan start`, under the launcher; the agent alone when left out, which starts sooner. */
  readonly launcher?: boolean;
  readonly args?: readonly string[];
}

/** A process that was told to be an agent; it may not become one. */
export interface Launched extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it printed, and what it wrote to its log, so far. */
  said(): string;
  log(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Resolves with the match in what was printed or logged; rejects when the process ends or half a minute is over without it. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

/** No model server of this machine is to be found: nothing answers on the port of discard (RFC 863). */
const NO_MODELS = { LMSTUDIO_HOST: '127.0.0.1:9', OLLAMA_HOST: '127.0.0.1:9' };

export function launch({ home, env = {}, launcher = false, args = [] }: LaunchOptions): Launched {
  const { PATH = '' } = process.env;
  const program = launcher ? ['src/castellan.ts', 'start'] : ['src/main.ts'];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...program, '--home', home, '--port', '0', '--ingress-port', '0', ...args],
    {
      cwd: ROOT,
      env: { PATH, HOME: home, TZ: 'UTC', NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'castellan'), ...NO_MODELS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  return {
    child,
    said: () => out,
    log: () => err,
    ended,
    async until(pattern) {
      for (const until = Date.now() + LIMIT_MS; ; await sleep(10)) {
        const found = pattern.exec(out) ?? pattern.exec(err);
        if (found) return found;
        if (child.exitCode !== null || child.signalCode !== null || Date.now() > until)
          throw new Error(`"${pattern.source}" was never said:\n${out}\n${err}`);
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** An agent that is up. */
export interface Agent extends Launched {
  readonly home: string;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Of the agent itself, not of its launcher. */
  readonly pid: number;
  /** The token of the command line, and a client that sends it. */
  readonly token: string;
  readonly client: Client;
  /** Asks it to stop, as a service manager would; answers its exit code. */
  stop(): Promise<number | null>;
  /** As a power cut would. */
  kill(): Promise<void>;
}

/** Starts an agent and waits until it says that it is ready. Its home stays when it ends, so that it can be started again. */
export async function startAgent(options: LaunchOptions): Promise<Agent> {
  const launched = launch(options);
  const { home } = options;
  try {
    await launched.until(/is ready at \S+\n/);
    const { url, pid } = JSON.parse(await readFile(join(home, 'run', 'agent.json'), 'utf8')) as { url: string; pid: number };
    const token = (await readFile(join(home, 'run', 'cli.token'), 'utf8')).trim();
    return {
      ...launched,
      home,
      url,
      pid,
      token,
      client: clientFor(url, token),
      async stop() {
        launched.child.kill('SIGTERM');
        return (await launched.ended).code;
      },
      async kill() {
        process.kill(pid, 'SIGKILL');
        await launched.ended;
      },
    };
  } catch (error) {
    await launched[Symbol.asyncDispose]();
    throw error;
  }
}

export function clientFor(url: string, token: string): Client {
  return createClient({ fetch, base: url, headers: () => ({ authorization: `Bearer ${token}` }) });
}

/** Asks again until the answer is as wished, for at most half a minute. */
export async function eventually<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  for (const until = Date.now() + LIMIT_MS; ; await sleep(20)) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    if (Date.now() > until) throw new Error(`It never came about; last: ${JSON.stringify(answer).slice(0, 2_000)}`);
  }
}
