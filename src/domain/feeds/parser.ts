import { Worker } from 'node:worker_threads';
import { systemClock, type Clock } from '#core/clock';
import { AppError, toError } from '#core/errors';
import type { Feed, ReadablePage, SourceHints } from './contract.ts';
import { doJob, revive, type Answer, type Job } from './jobs.ts';

/** Reads feeds and pages without holding up the event loop. */
export interface FeedParser {
  /** Throws `feeds.not_a_feed`, `feeds.too_slow`, `feeds.parser_failed`, or the signal's reason. */
  parseFeed(bytes: Uint8Array, hints: SourceHints, signal: AbortSignal): Promise<Feed>;
  /** Throws `feeds.unreadable_page`, `feeds.too_slow`, `feeds.parser_failed`, or the signal's reason. */
  readPage(page: Uint8Array | string, hints: SourceHints, signal: AbortSignal): Promise<ReadablePage>;
  /** Whether the worker thread exists now. */
  isRunning(): boolean;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FeedParserOptions {
  readonly clock?: Clock;
  /** The worker ends after so long without work, and its memory with it. */
  readonly idleMs?: number;
  /** The longest a document may take, the start of the worker included. */
  readonly timeLimitMs?: number;
  /** Feeds up to this size are read on the spot: a few milliseconds, less than the way to the worker. */
  readonly inlineBytes?: number;
  readonly memoryMb?: number;
}

/** A worker thread that starts on first use, does one job at a time, and is replaced when a document is too much for it. */
export function createFeedParser(options: FeedParserOptions = {}): FeedParser {
  const { clock = systemClock, idleMs = 30_000, timeLimitMs = 15_000, inlineBytes = 64 * 1024, memoryMb = 256 } = options;
  let worker: Worker | null = null;
  let idle = new AbortController();
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  function start(): Worker {
    const started = new Worker(new URL('worker-entry.ts', import.meta.url), {
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    started.on('error', () => {});
    started.once('exit', () => {
      if (worker === started) worker = null;
    });
    return started;
  }

  async function stop(): Promise<void> {
    const stopping = worker;
    worker = null;
    await stopping?.terminate();
  }

  /** Jobs wait for each other, so that the time limit is that of one document. */
  function enqueue(job: Job, signal: AbortSignal): Promise<Feed | ReadablePage> {
    const done = queue.then(() => run(job, signal));
    queue = done.catch(() => {});
    return done;
  }

  async function run(job: Job, signal: AbortSignal): Promise<Feed | ReadablePage> {
    signal.throwIfAborted();
    if (closed) throw new AppError('unavailable', 'feeds.parser_failed', 'The program is shutting down');
    idle.abort();
    worker ??= start();
    worker.ref();
    try {
      const reply = await ask(worker, job, signal);
      if ('error' in reply) throw revive(reply.error);
      return reply.value;
    } finally {
      worker?.unref();
      rest();
    }
  }

  /** The worker's answer; whatever ends the wait otherwise ends the worker too, since it cannot be interrupted. */
  async function ask(asked: Worker, job: Job, signal: AbortSignal): Promise<Answer> {
    const over = new AbortController();
    const reply = Promise.withResolvers<Answer>();
    const failed = (cause: unknown): void =>
      reply.reject(new AppError('unavailable', 'feeds.parser_failed', 'The document was too much for its reader', {}, cause));
    asked.once('message', reply.resolve);
    asked.once('error', failed);
    asked.once('exit', failed);
    const givenUp = (): void => reply.reject(toError(signal.reason));
    signal.addEventListener('abort', givenUp, { once: true });
    clock.sleep(timeLimitMs, over.signal).then(
      () => reply.reject(new AppError('limited', 'feeds.too_slow', `The document took longer than ${timeLimitMs} ms to read`)),
      () => {},
    );
    try {
      asked.postMessage(job);
      return await reply.promise;
    } catch (error) {
      await stop();
      throw error;
    } finally {
      over.abort();
      signal.removeEventListener('abort', givenUp);
      for (const [event, listener] of [
        ['message', reply.resolve],
        ['error', failed],
        ['exit', failed],
      ] as const)
        asked.off(event, listener);
    }
  }

  function rest(): void {
    idle = new AbortController();
    const { signal } = idle;
    clock.sleep(idleMs, signal).then(
      () => (signal.aborted ? undefined : stop()),
      () => {},
    );
  }

  async function close(): Promise<void> {
    closed = true;
    idle.abort();
    await stop();
  }

  return {
    parseFeed: async (bytes, hints, signal) => {
      const job: Job = { kind: 'feed', bytes, hints };
      return (bytes.byteLength <= inlineBytes ? doJob(job) : enqueue(job, signal)) as Promise<Feed>;
    },
    readPage: async (bytes, hints, signal) => enqueue({ kind: 'page', bytes, hints }, signal) as Promise<ReadablePage>,
    isRunning: () => worker !== null,
    close,
    [Symbol.asyncDispose]: close,
  };
}
