// The parent of the agent: starts it, starts it again when it crashes, and hands on the signals. It stays as long as the agent does, so it
// holds as little as it can: no libraries, nothing of core.
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface LauncherOptions {
  /** What is launched; `main.ts` beside this file when left out. */
  readonly entry?: URL;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Node's own flags for the agent. */
  readonly nodeFlags?: readonly string[];
  readonly limits?: Partial<LauncherLimits>;
  /** Where the launcher says what it does; standard error when left out. */
  readonly log?: (line: string) => void;
  /** Takes secrets out of the last words of an agent that crashed, before they are kept; loaded when one did. */
  readonly clean?: (text: string) => Promise<string>;
}

export interface LauncherLimits {
  /** The wait before the first restart; it doubles with each crash in a row, a quarter more or less. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A life that lasted this long, or told that it is ready, ends the row. */
  readonly healthyMs: number;
  /** So many crashes within the window, and it is left to the owner. */
  readonly crashes: number;
  readonly withinMs: number;
  /** How long the agent may take to stop before it is killed. */
  readonly graceMs: number;
}

const LIMITS: LauncherLimits = {
  firstDelayMs: 250,
  longestDelayMs: 30_000,
  healthyMs: 60_000,
  crashes: 5,
  withinMs: 120_000,
  graceMs: 30_000,
};

/** A young generation of 4 MB instead of 16 keeps an idle agent small. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

/** Ends that no restart mends: stopped, bad usage, home in use, not allowed, bad configuration (sysexits(3)). */
const FINAL: readonly (number | null)[] = [0, 2, 75, 77, 78];
const GAVE_UP = 70;

const LAST_LINES = 200;
const LAST_CHARACTERS = 64 * 1024;
/** The first seconds belong to the start. */
const FLUSH_AFTER_MS = 3_000;
/** What is left in the pipe when the process is gone. */
const LAST_WORDS_MS = 500;

/** One life of the agent, from start to end. */
interface Life {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly wasHealthy: boolean;
  /** The last lines of its standard error. */
  readonly said: readonly string[];
}

/** Runs the agent with these arguments until it is stopped, cannot be started or crashes too often; resolves with the exit code. */
export async function runLauncher(args: readonly string[], options: LauncherOptions = {}): Promise<number> {
  const { env = process.env, entry = new URL('./main.ts', import.meta.url), nodeFlags = NODE_FLAGS } = options;
  const say = options.log ?? ((line: string): void => void process.stderr.write(`castellan: ${line}\n`));
  const limits = { ...LIMITS, ...options.limits };
  const home = homeOf(args, env);
  const passphrase = readPassphrase(env);
  const stop = listenForStop(limits.graceMs);
  const crashes: number[] = [];
  let inARow = 0;
  process.stderr.on('error', ignore);
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
  try {
    for (;;) {
      const child = spawn(process.execPath, [...nodeFlags, fileURLToPath(entry), ...args], {
        env: { ...childEnv(env, home), ...(passphrase !== null && { CASTELLAN_PASSPHRASE_FD: '4' }) },
        stdio: ['inherit', 'inherit', 'pipe', 'ipc', ...(passphrase === null ? [] : ['pipe' as const])],
      });
      (child.stdio as unknown as (Writable | undefined)[])[4]?.on('error', ignore).end(passphrase);
      const lived = await live(child, stop, limits.healthyMs);
      if (stop.asked.aborted || FINAL.includes(lived.code)) return exitCodeOf(lived);
      const life = { ...lived, said: await withoutSecrets(lived.said, options.clean) };
      const now = performance.now();
      crashes.push(now);
      keepLastWords(home, life);
      if (crashes.filter((at) => now - at < limits.withinMs).length >= limits.crashes) {
        say(lastMessage(life, limits, home));
        return GAVE_UP;
      }
      inARow = life.wasHealthy ? 1 : inARow + 1;
      const delayMs = Math.min(limits.longestDelayMs, limits.firstDelayMs * 2 ** (inARow - 1)) * (0.75 + Math.random() / 2);
      say(`the agent ${endOf(life)}; starting it again in ${(delayMs / 1000).toFixed(1)} s`);
      await pause(delayMs, stop.asked);
      if (stop.asked.aborted) return 0;
    }
  } finally {
    stop.forget();
    process.stderr.removeListener('error', ignore);
  }
}

/**
 * Called by the agent: when its launcher is gone, nobody would stop it any more, so it stops itself, by force after `graceMs`.
 * Without a launcher it does nothing.
 */
export function dieWithParent(stop: () => void, graceMs = 15_000): void {
  if (!process.connected) return;
  process.once('disconnect', () => {
    setTimeout(() => process.exit(GAVE_UP), graceMs).unref();
    stop();
  });
  process.channel?.unref();
}

/** Called by the agent when it serves: its next crash is the first of a new row, and what was compiled for this start is kept for the next. */
export function tellReady(): void {
  process.send?.({ ready: true });
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
}

/** Waits for the end of a life, passing on what it says. */
async function live(child: ChildProcess, stop: Stop, healthyMs: number): Promise<Life> {
  const start = performance.now();
  const said: string[] = [];
  let length = 0;
  let wasReady = false;
  child.on('message', (message: { ready?: unknown } | null) => {
    wasReady ||= message?.ready === true;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    said.push(text);
    length += text.length;
    while (length > LAST_CHARACTERS && said.length > 1) length -= said.shift()!.length;
  });
  const closed = new Promise<void>((done) => child.once('close', () => done()));
  const forget = stop.handTo(child);
  const { code, signal } = await new Promise<Pick<Life, 'code' | 'signal'>>((done) => {
    child.once('exit', (code, signal) => done({ code, signal }));
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      said.push(`${error.message}\n`);
      done({ code: null, signal: null });
    });
  });
  forget();
  await Promise.race([closed, pause(LAST_WORDS_MS)]);
  const lines = said.join('').slice(-LAST_CHARACTERS).trimEnd().split('\n').slice(-LAST_LINES);
  return { code, signal, wasHealthy: wasReady || performance.now() - start >= healthyMs, said: lines };
}

/** A wish to stop, and who has to hear of it. */
interface Stop {
  readonly asked: AbortSignal;
  /** Sends this process the signals until the returned function is called. */
  handTo(child: ChildProcess): () => void;
  forget(): void;
}

function listenForStop(graceMs: number): Stop {
  const asked = new AbortController();
  let child: ChildProcess | null = null;
  let last: NodeJS.Timeout | undefined;
  let nudge: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    asked.abort();
    last ??= setTimeout(() => child?.kill('SIGKILL'), graceMs).unref();
    // A terminal sends Ctrl-C to the whole group: the agent has it already. If it has not, it is told soon.
    if (signal === 'SIGINT' && process.stdin.isTTY) nudge ??= setTimeout(() => child?.kill('SIGTERM'), 2_000).unref();
    else child?.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    asked: asked.signal,
    handTo(next) {
      child = next;
      if (asked.signal.aborted) child.kill('SIGTERM');
      return () => {
        child = null;
      };
    },
    forget() {
      clearTimeout(last);
      clearTimeout(nudge);
      for (const signal of signals) process.removeListener(signal, onSignal);
    },
  };
}

/** As `#core/config` finds it, which is too heavy to load here. */
function homeOf(args: readonly string[], env: Readonly<Record<string, string | undefined>>): string {
  const at = args.findIndex((arg) => arg === '--home' || arg.startsWith('--home='));
  const flag = args[at]?.startsWith('--home=') ? args[at].slice('--home='.length) : args[at + 1];
  const named = (at >= 0 ? flag : undefined) || env['CASTELLAN_HOME']?.trim();
  return named ? resolve(named.replace(/^~(?=$|[/\\])/, homedir())) : join(homedir(), '.castellan');
}

/** A descriptor can be read once; each life of the agent gets what was in it by a pipe of its own. */
function readPassphrase(env: Readonly<Record<string, string | undefined>>): Buffer | null {
  const fd = env['CASTELLAN_PASSPHRASE_FD']?.trim() ?? '';
  if (!/^\d+$/.test(fd)) return null;
  try {
    return readFileSync(Number(fd));
  } catch {
    return null; // the agent says what is wrong with it
  }
}

/** The agent's environment: where compiled code is kept, and at a terminal a log for people. */
function childEnv(env: Readonly<Record<string, string | undefined>>, home: string): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: cacheFolder(home), ...(process.stderr.isTTY && { CASTELLAN_LOG_FORMAT: 'pretty' }), ...env };
}

/**
 * Where Node keeps compiled code between starts: with it the agent starts sooner and never loads the compiler of TypeScript, a third of
 * its memory. It lies beside the code it is made of, where nobody can write who could not change that; otherwise in the home.
 */
function cacheFolder(home: string): string {
  const modules = join(import.meta.dirname, '..', 'node_modules');
  try {
    accessSync(modules, constants.W_OK);
    return join(modules, '.cache', 'castellan');
  } catch {
    const own = join(home, 'run', 'compile-cache');
    quietly(() => mkdirSync(own, { recursive: true, mode: 0o700 }));
    return own;
  }
}

async function withoutSecrets(said: readonly string[], clean: LauncherOptions['clean']): Promise<readonly string[]> {
  if (!clean) return said;
  return clean(said.join('\n')).then(
    (text) => text.split('\n'),
    () => ['(its last words could not be cleaned of secrets, so they are not kept)'],
  );
}

function keepLastWords(home: string, life: Life): void {
  const head = `${new Date().toISOString()} the agent ${endOf(life)}`;
  quietly(() => mkdirSync(dirname(crashLog(home)), { recursive: true, mode: 0o700 })); // it may have died before it made its home
  quietly(() => writeFileSync(crashLog(home), `${[head, ...life.said].join('\n')}\n`, { mode: 0o600 }));
}

function crashLog(home: string): string {
  return join(home, 'logs', 'last-crash.log');
}

function lastMessage(life: Life, { crashes, withinMs }: LauncherLimits, home: string): string {
  const lines = life.said.slice(-10).map((line) => `  ${line}`);
  const heads = [
    `the agent crashed ${crashes} times within ${Math.round(withinMs / 1000)} s and is not started again. The last time it ${endOf(life)}${lines.length > 0 ? ', after saying:' : '.'}`,
  ];
  return [...heads, ...lines, `All of it: ${crashLog(home)} and ${join(home, 'logs', 'castellan.log')}`].join('\n');
}

function endOf({ code, signal }: Life): string {
  if (signal) return `was killed by ${signal}`;
  return code === null ? 'could not be started' : `ended with exit code ${code}`;
}

/** A shell's way to say that a signal ended it. */
function exitCodeOf({ code, signal }: Life): number {
  return code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGINT' ? 130 : 143);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        done();
      },
      { once: true },
    );
  });
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // The agent itself says what is wrong with the home.
  }
}

function ignore(): void {}
