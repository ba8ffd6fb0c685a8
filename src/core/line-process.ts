import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { AppError } from './errors.ts';
import type { Json } from './json.ts';
import { createLineReader } from './line-process/line-reader.ts';
import { endGroup, signalGroup } from './process-service/group.ts';
import { createLastLines } from './process-service/last-lines.ts';
import type { Run, Running, Service } from './service.ts';

export interface LineProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment: it inherits none. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A longer line ends the process with `process.line_too_long`. */
  readonly longestLineBytes: number;
  /** More than this on its second output ends it with `process.too_talkative`. */
  readonly mostStderrBytes: number;
  /** More than this that it was sent and has not read ends it with `process.deaf`. */
  readonly mostUnreadBytes: number;
  /** From SIGTERM to SIGKILL; 2 s when left out. */
  readonly graceMs?: number;
  /** 0 is as important as we are, 19 the least. */
  readonly niceness?: number;
  /** One line of its output, unread: it comes from outside. What is thrown here ends the process. */
  onLine(line: string): void;
  /** After its end: its last words, and how it ended. Called once, also when it could not be started. */
  onEnd?(end: ProcessEnd): void;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last twenty lines of its second output. */
  readonly said: readonly string[];
  /** Why it was ended, or could not be started; null when it ended by itself. */
  readonly cause: Error | null;
}

/** A service in a process of its own that speaks lines, on its standard input and output. */
export interface LineProcess extends Service {
  /** Writes one message as a line; nothing happens when nobody is there to read it. */
  send(message: Json): void;
  /** No line is read until `resume`: the process waits when its pipe is full. */
  pause(): void;
  resume(): void;
}

/** A `temporary` service around a program that is not ours: every way it can talk too much has a bound. Its end is the service's end. */
export function lineProcess(options: LineProcessOptions): LineProcess {
  const { name, graceMs = 2_000, mostStderrBytes, mostUnreadBytes } = options;
  let current: { readonly child: ChildProcess; fail(cause: AppError): void } | null = null;

  async function start(run: Run): Promise<Running> {
    run.signal.throwIfAborted();
    const child = spawn(options.command, [...options.args], {
      env: { ...options.env },
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that its children can be reached when it is gone.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let cause: Error | null = null;
    const fail = (error: Error): void => {
      cause ??= error;
      signalGroup(child, 'SIGKILL');
    };
    const { stdin, stdout, stderr } = child;
    stdin.on('error', () => {});

    const said = createLastLines(() => {});
    let stderrBytes = 0;
    stderr.setEncoding('utf8').on('data', (text: string) => {
      stderrBytes += text.length;
      if (stderrBytes <= mostStderrBytes) return said.add(text);
      stderr.removeAllListeners('data').resume();
      fail(tooTalkative(name, mostStderrBytes));
    });
    const lines = createLineReader(options.longestLineBytes, (line) => {
      if (cause === null) options.onLine(line);
    });
    stdout.on('data', (chunk: Buffer) => {
      try {
        lines.add(chunk);
      } catch (error) {
        stdout.removeAllListeners('data').resume();
        fail(error as Error);
      }
    });

    const gone = new Promise<void>((resolve) => {
      const end = (code: number | null, signal: string | null): void => {
        if (current?.child === child) current = null;
        options.onEnd?.({ code, signal, said: said.lines(), cause });
        resolve();
      };
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        cause = new AppError('unavailable', 'process.not_started', `${name} could not be started: ${error.message}`, {}, error);
        end(null, null);
      });
      child.once('exit', (code, signal) => {
        signalGroup(child, 'SIGKILL');
        stdout.resume();
        // Its outputs are read to their end, unless a child of its own holds them open.
        void Promise.race([once(child, 'close'), new Promise((done) => setTimeout(done, 200).unref())]).then(() => end(code, signal));
      });
    });
    if (child.pid === undefined) {
      await gone;
      throw cause ?? new AppError('unavailable', 'process.not_started', `${name} could not be started`);
    }
    if (options.niceness !== undefined) lowerPriority(child.pid, options.niceness);
    current = { child, fail };
    void gone.then(() => run.exit(cause ?? undefined));
    return {
      stop: () => endGroup(child, gone, graceMs),
      health: () => ({ ok: child.exitCode === null, detail: `pid ${child.pid}` }),
    };
  }

  return {
    name,
    restart: 'temporary',
    startTimeoutMs: graceMs + 5_000,
    stopTimeoutMs: graceMs + 1_000,
    start,
    send(message) {
      if (!current) return;
      const { child, fail } = current;
      child.stdin!.write(`${JSON.stringify(message)}\n`);
      if (child.stdin!.writableLength > mostUnreadBytes)
        fail(new AppError('limited', 'process.deaf', `${name} does not read what it asked for`, { mostUnreadBytes }));
    },
    pause: () => void current?.child.stdout!.pause(),
    resume: () => void current?.child.stdout!.resume(),
  };
}

function tooTalkative(name: string, mostStderrBytes: number): AppError {
  return new AppError('limited', 'process.too_talkative', `${name} wrote more than ${mostStderrBytes} bytes of remarks`, {
    mostStderrBytes,
  });
}

function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It is gone already, or the system has no such thing.
  }
}
