import { systemClock, type Clock } from './clock.ts';
import { createCleaner } from './log/clean.ts';
import { createRotatingFile, type FileLimits, type RotatingFile } from './log/file.ts';
import { isAtLeast, readEntry, type LogEntry, type LogLevel } from './log/entry.ts';
import { pretty } from './log/pretty.ts';
import { createTail } from './log/tail.ts';

export type { LogEntry, LogLevel } from './log/entry.ts';

/** Data of a log line; whatever is in it is cleaned of secrets and cut to size before it is written. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes for the operator: a constant message, the data in fields. Never throws. */
export interface Log extends Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>> {
  /** The same with these fields in each line; `component` names who writes. */
  child(fields: LogFields): Log;
}

export interface LoggingOptions {
  readonly level: LogLevel;
  /** Where lines go that a person or a service manager reads. */
  readonly stream: NodeJS.WritableStream;
  /** Lines for people instead of JSON, with colours. */
  readonly pretty: boolean;
  /** `logs/castellan.log` of the home; no file when left out. */
  readonly file?: string;
  readonly fileLimits?: FileLimits;
  /** Takes secrets out of a text; replaced by `setScan` once the vault is open. */
  readonly scan?: (text: string) => string;
  readonly clock?: Clock;
  /** How many lines the page of the logs can show: 1,000 when left out. */
  readonly keep?: number;
}

/** The log of the process, with what the owner's page of it needs. */
export interface Logging {
  readonly log: Log;
  /** The latest entries, the oldest first. */
  recent(filter?: { readonly level?: LogLevel; readonly component?: string; readonly limit?: number }): readonly LogEntry[];
  /** Hears every entry from now on, until the signal. */
  subscribe(handler: (entry: LogEntry) => void, signal: AbortSignal): void;
  setLevel(level: LogLevel): void;
  setScan(scan: (text: string) => string): void;
  /** Writes what is still held back, at once; for the last moment of a process. */
  flush(): void;
  close(): Promise<void>;
}

export function createLogging(options: LoggingOptions): Logging {
  const { clock = systemClock, stream } = options;
  const tail = createTail(options.keep ?? 1000);
  const file: RotatingFile | null = options.file === undefined ? null : createRotatingFile(options.file, options.fileLimits);
  let { level } = options;
  let scan = options.scan ?? ((text: string): string => text);
  const clean = createCleaner((text) => scan(text));
  // Whoever read our lines may be gone: that is no reason to end.
  const ignore = (): void => {};
  stream.on('error', ignore);

  /** One JSON line to every outlet; one that fails keeps nothing from the others. */
  function write(own: LogLevel, fields: LogFields, message: string): void {
    const line = `${JSON.stringify({ level: own, time: new Date(clock.now()).toISOString(), ...fields, message })}\n`;
    for (const outlet of [tail.push, show, (text: string) => file?.write(text)]) quietly(() => outlet(line));
  }

  function show(line: string): void {
    stream.write(options.pretty ? pretty(readEntry(line)) : line);
  }

  function wrap(bound: LogFields): Log {
    const at =
      (own: LogLevel) =>
      (message: string, fields?: LogFields): void => {
        if (isAtLeast(own, level)) quietly(() => write(own, clean.fields(unreserved({ ...bound, ...fields })), clean.text(message)));
      };
    return {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      fatal: at('fatal'),
      child: (fields) => wrap({ ...bound, ...fields }),
    };
  }

  return {
    log: wrap({}),
    recent: ({ level: from = 'trace', component, limit = Infinity } = {}) =>
      tail
        .lines()
        .map(readEntry)
        .filter((entry) => isAtLeast(entry.level, from) && (component === undefined || entry.component === component))
        .slice(-limit),
    subscribe: (handler, signal) => tail.subscribe((line) => handler(readEntry(line)), signal),
    setLevel(next) {
      level = next;
    },
    setScan(next) {
      scan = next;
    },
    flush: () => file?.flush(),
    async close() {
      await file?.close();
      stream.removeListener('error', ignore);
    },
  };
}

/** The data under names that the line itself does not use. */
function unreserved(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [/^(level|time|message)$/.test(key) ? `${key}_` : key, value]));
}

/** A log that fails must not take down what it reports on. */
function quietly(fn: () => void): void {
  try {
    fn();
  } catch {
    // There is nobody left to tell.
  }
}
