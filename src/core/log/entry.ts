export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line of the log. */
export interface LogEntry {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly component: string | null;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads a line that this log wrote. */
export function readEntry(line: string): LogEntry {
  const {
    time,
    level,
    component = null,
    message,
    ...fields
  } = JSON.parse(line) as Omit<LogEntry, 'component' | 'fields'> & { component?: string };
  return { time, level, component, message, fields };
}

export function isAtLeast(level: LogLevel, from: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(from);
}
