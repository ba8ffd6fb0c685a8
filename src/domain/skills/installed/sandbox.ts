import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToSkill } from '#skill';
import { PROTOCOL } from '#skill';
import type { Clock } from '#core/clock';
import { AppError, errorInfo, toError } from '#core/errors';
import type { Json } from '#core/json';
import { lineProcess, type ProcessEnd } from '#core/line-process';
import type { Nursery } from '#core/nursery';
import { DEEPEST_CALL, type SkillContext, type SkillResult } from '../contract.ts';
import { createBroker } from './broker.ts';
import { sandboxCommand } from './command.ts';
import { whyItEnded } from './endings.ts';
import type { Manifest } from './manifest.ts';
import { createPlaces } from './places.ts';
import { brokeProtocol, readLine, type FromSkillMessage } from './wire.ts';
import { assertSandbox, type WallProbe } from './walls.ts';

export interface SandboxDeps {
  /** Owns the processes: what runs ends with it. */
  readonly nursery: Nursery;
  readonly walls: WallProbe;
  readonly clock: Clock;
  /** Where folders for one run are made and thrown away. */
  readonly scratchFolder: string;
  readonly atOnce?: number;
  /** Processor time beyond the time limit; 5 s when left out. */
  readonly cpuGraceS?: number;
  /** Makes the command line of a run; for a test that takes one wall away to try the other. */
  readonly commandOf?: typeof sandboxCommand;
}

export interface SandboxRun {
  readonly manifest: Manifest;
  /** The installed skill, just verified. */
  readonly folder: string;
  readonly input: Json;
  readonly config: Json;
  readonly context: SkillContext;
}

/** Runs installed skills, each run in a process of its own that is gone afterwards. */
export interface Sandbox {
  run(run: SandboxRun): Promise<SkillResult>;
}

const LONGEST_LINE_BYTES = 4 * 2 ** 20;
const MOST_STDERR_BYTES = 256 * 1_024;
const MOST_UNREAD_BYTES = 16 * 2 ** 20;
/** Calls that are not answered yet; then the skill is not read until one is. */
const MOST_CALLS_AT_ONCE = 32;
const MOST_LOG_LINES = 200;
const LONGEST_LOG_LINE = 2_000;
/** Calls that change something; they end by themselves and are not cut off by the end of the skill. */
const ACTS: ReadonlySet<string> = new Set(['effect', 'notify', 'memory.add', 'call']);
/** A run may send so many messages at once, and this many more each second. */
const MESSAGES = { burst: 2_000, perSecond: 500 };
/** From the word that it is over to SIGKILL. */
const GRACE_MS = 250;
const NICENESS = 10;

export function createSandbox({
  nursery,
  walls,
  clock,
  scratchFolder,
  atOnce = 8,
  cpuGraceS = 5,
  commandOf = sandboxCommand,
}: SandboxDeps): Sandbox {
  // One room for each depth: who waits for a skill it called holds no place that this one needs.
  const rooms = Array.from({ length: DEEPEST_CALL + 1 }, () => createPlaces(atOnce));
  let last = 0;

  async function run(job: SandboxRun): Promise<SkillResult> {
    const found = await walls.look();
    assertSandbox(found);
    const { signal } = job.context;
    const leave = await (rooms[job.context.depth] ?? rooms.at(-1)!).enter(signal);
    await mkdir(scratchFolder, { recursive: true, mode: 0o700 });
    const scratch = await mkdtemp(join(scratchFolder, 'run-'));
    try {
      // What deno would keep for a website (caches, localStorage) needs this to be a folder.
      if (!found.bubblewrap) await writeFile(join(scratch, 'location_data'), '', { mode: 0o400 });
      const { manifest, folder } = job;
      const cpuSeconds = Math.ceil(manifest.timeoutMs / 1_000) + cpuGraceS;
      last += 1;
      return await converse(
        job,
        commandOf({ walls: found, folder: await realpath(folder), scratch, memoryMb: manifest.memoryMb, cpuSeconds }),
        last,
      );
    } finally {
      await rm(scratch, { recursive: true, force: true });
      leave();
    }
  }

  /** Starts the process, says what the run is, answers its calls, until it says how it ended or cannot any more. */
  async function converse(
    { manifest, input, config, context }: SandboxRun,
    command: ReturnType<typeof sandboxCommand>,
    nth: number,
  ): Promise<SkillResult> {
    const broker = createBroker({ manifest, context });
    const calls = new Map<number, AbortController>();
    const acts = new Set<Promise<void>>();
    const refusals = new Map<string, Error>();
    const over = Promise.withResolvers<SkillResult>();
    const budget = createBudget(clock);
    let lastId = 0;
    let logLines = 0;
    let isOver = false;
    const finish = (end: () => void): void => {
      isOver = true;
      for (const call of calls.values()) call.abort(new AppError('unavailable', 'skill.over', `${manifest.name} is over`));
      end();
    };
    const fail = (error: Error): void => finish(() => over.reject(error));

    const child = lineProcess({
      name: `${manifest.name}-${nth}`,
      ...command,
      longestLineBytes: LONGEST_LINE_BYTES,
      mostStderrBytes: MOST_STDERR_BYTES,
      mostUnreadBytes: MOST_UNREAD_BYTES,
      graceMs: GRACE_MS,
      niceness: NICENESS,
      onLine(line) {
        if (isOver) return;
        if (!budget.spend()) throw new AppError('unavailable', 'skill.flood', `It sends more than ${MESSAGES.perSecond} messages a second`);
        hear(readLine(line));
      },
      onEnd(end: ProcessEnd) {
        if (!isOver) fail(whyItEnded(manifest, end));
      },
    });
    const send = (message: ToSkill): void => child.send(message as unknown as Json);

    function hear(message: FromSkillMessage): void {
      switch (message.type) {
        case 'call':
          if (message.id <= lastId) throw brokeProtocol(`used the call id ${message.id} again`);
          lastId = message.id;
          return follow(message.method, answer(message.id, message.method, message.params));
        case 'drop':
          return calls.get(message.id)?.abort(new AppError('unavailable', 'skill.dropped', 'The skill stopped listening'));
        case 'log':
          return log(message);
        case 'done':
          isOver = true;
          // What it set going and did not wait for is done, and known, before its step is.
          return void Promise.all(acts).then(() => finish(() => over.resolve({ outcome: message.outcome, output: message.output })));
        case 'failed':
          return fail(believed(message.error));
      }
    }

    function follow(method: string, answered: Promise<void>): void {
      if (!ACTS.has(method)) return;
      acts.add(answered);
      void answered.finally(() => acts.delete(answered));
    }

    async function answer(id: number, method: string, params: Json): Promise<void> {
      const call = new AbortController();
      calls.set(id, call);
      if (calls.size >= MOST_CALLS_AT_ONCE) child.pause();
      const callSignal = AbortSignal.any([context.signal, call.signal]);
      try {
        const value = await broker.answer(method, params, callSignal, (part) => send({ type: 'part', id, value: part }));
        if (!isOver) send({ type: 'answer', id, value });
      } catch (thrown) {
        const { code, kind, message, details } = errorInfo(thrown);
        refusals.set(code, toError(thrown));
        if (!isOver)
          send({ type: 'refusal', id, error: { kind, code, message, ...(details && { details: details as Record<string, Json> }) } });
      } finally {
        calls.delete(id);
        if (calls.size < MOST_CALLS_AT_ONCE) child.resume();
      }
    }

    /** A skill may fail for what it was refused, and then that is the cause; whatever else it calls its failure is its own. */
    function believed({ code, message }: { readonly code: string; readonly message: string }): Error {
      const cause = refusals.get(code);
      if (cause) return cause;
      const text = message.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, LONGEST_LOG_LINE);
      return new AppError('unavailable', 'skill.failed', `${manifest.name} failed: ${text}`, {
        skill: manifest.name,
        code: code.slice(0, 80),
      });
    }

    function log({ level, message, data }: Extract<FromSkillMessage, { type: 'log' }>): void {
      logLines += 1;
      if (logLines > MOST_LOG_LINES) return;
      if (logLines === MOST_LOG_LINES) return context.log.warn('the skill logs too much: the rest of this run is dropped');
      context.log[level]('the skill says', { text: message.slice(0, LONGEST_LOG_LINE), ...(data !== undefined && { data }) });
    }

    const stop = (): void => {
      send({ type: 'cancel', reason: toError(context.signal.reason).message });
      fail(toError(context.signal.reason));
    };
    context.signal.throwIfAborted();
    const place = await nursery.add(child, { key: manifest.name });
    context.signal.addEventListener('abort', stop, { once: true });
    if (context.signal.aborted) stop();
    try {
      const { runId, stepPath, dryRun, timeZone, prompt, labels } = context;
      const resources = context.resources.map(({ name, type, url, content, tags, metadata }) => ({
        name,
        type,
        tags,
        metadata,
        ...(url !== undefined && { url }),
        ...(content !== undefined && { content }),
      }));
      const start = { runId, stepPath, dryRun, timeZone, prompt, labels, resources, input, config };
      send({ type: 'start', protocol: PROTOCOL, main: command.main, start });
      return await over.promise;
    } finally {
      context.signal.removeEventListener('abort', stop);
      // It has nothing more to say; whoever listens to the signal had its grace.
      await place.stop();
    }
  }

  return { run };
}

/** A bucket of messages that fills again by the clock. */
function createBudget(clock: Clock): { spend(): boolean } {
  let left = MESSAGES.burst;
  let at = clock.now();
  return {
    spend() {
      const now = clock.now();
      left = Math.min(MESSAGES.burst, left + ((now - at) / 1_000) * MESSAGES.perSecond) - 1;
      at = now;
      return left >= 0;
    },
  };
}
