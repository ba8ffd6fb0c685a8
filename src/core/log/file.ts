import { appendFileSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';

/** A file that never grows past its size: then it becomes `.1`, what was `.1` becomes `.2`, and the last is dropped. Never throws. */
export interface RotatingFile {
  write(text: string): void;
  /** Writes what is waiting, synchronously. */
  flush(): void;
  close(): Promise<void>;
}

export interface FileLimits {
  readonly maxBytes: number;
  /** The one that is written to included. */
  readonly files: number;
  /** After a failure lines wait this long for the next attempt. */
  readonly retryMs?: number;
}

const DEFAULTS: FileLimits = { maxBytes: 5 * 1024 * 1024, files: 5 };
/** What waits while the disk is slow or full; past it the oldest lines are dropped and counted. */
const MOST_WAITING = 1024 * 1024;

export function createRotatingFile(path: string, { maxBytes, files, retryMs = 5_000 }: FileLimits = DEFAULTS): RotatingFile {
  let waiting: string[] = [];
  let waitingLength = 0;
  let lost = 0;
  /** The last write may have ended within a line. */
  let torn = false;
  let handle: FileHandle | null = null;
  let size = 0;
  let work: Promise<void> | null = null;
  let retryAt = 0;
  let closed = false;

  /** What waits, as one text; `failed` books it as lost. */
  function take(): { readonly text: string; failed(): void } {
    const before = lost;
    const count = waiting.length;
    const note =
      before > 0
        ? `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), message: 'Log lines were lost', lines: before })}\n`
        : '';
    const text = `${torn ? '\n' : ''}${note}${waiting.join('')}`;
    waiting = [];
    waitingLength = 0;
    lost = 0;
    torn = false;
    return {
      text,
      failed() {
        lost += before + count;
        torn = true;
      },
    };
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const { text, failed } = take();
      try {
        handle ??= await openLog();
        await handle.appendFile(text);
        size += Buffer.byteLength(text);
        if (size >= maxBytes) await rotate();
      } catch {
        failed();
        retryAt = performance.now() + retryMs;
        await release();
      }
    }
  }

  async function openLog(): Promise<FileHandle> {
    const opened = await open(path, 'a', 0o600);
    size = (await opened.stat()).size;
    return opened;
  }

  async function rotate(): Promise<void> {
    await release();
    for (let n = files - 1; n >= 1; n -= 1) await rename(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`).catch(() => {});
  }

  async function release(): Promise<void> {
    const old = handle;
    handle = null;
    await old?.close().catch(() => {});
  }

  return {
    write(text) {
      if (closed) return;
      waiting.push(text);
      waitingLength += text.length;
      while (waitingLength > MOST_WAITING) {
        waitingLength -= waiting.shift()!.length;
        lost += 1;
      }
      if (performance.now() < retryAt) return;
      // The lines of one turn of the loop are one write.
      work ??= new Promise<void>((resolve) => setImmediate(resolve)).then(drain).finally(() => {
        work = null;
      });
    },
    flush() {
      if (waiting.length === 0) return;
      const { text, failed } = take();
      try {
        appendFileSync(path, text, { mode: 0o600 });
      } catch {
        failed();
      }
    },
    async close() {
      closed = true;
      await work;
      await drain();
      await release();
    },
  };
}
