import type { LogEntry, LogLevel } from './entry.ts';

const COLOURS: Readonly<Record<LogLevel, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31, fatal: 35 };

/** A line for a person at a terminal: local time, level, who, what, and the fields; an error's stack below. */
export function pretty({ time, level, component, message, fields }: LogEntry): string {
  const clock = new Date(time).toTimeString().slice(0, 8);
  const stacks: string[] = [];
  const rest = Object.entries(fields).map(([key, value]) => `${dim(`${key}=`)}${show(value, stacks)}`);
  const head = [
    dim(clock),
    colour(COLOURS[level], level.padEnd(5)),
    ...(component === null ? [] : [colour(36, printable(component))]),
    printable(message),
    ...rest,
  ];
  return [head.join(' '), ...stacks].join('\n') + '\n';
}

function show(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  if (!isError(value)) return JSON.stringify(value);
  if (value.stack !== undefined) stacks.push(dim(printable(value.stack).replaceAll(/^/gm, '    ')));
  return printable(`${value.code ?? value.type}: ${value.message}`);
}

function isError(value: unknown): value is { type: string; code?: string; message: string; stack?: string } {
  return typeof value === 'object' && value !== null && 'type' in value && 'message' in value;
}

/** Without the control characters by which a text could take over a terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are the point
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

function colour(code: number, text: string): string {
  return `\u001b[${code}m${text}\u001b[0m`;
}

function dim(text: string): string {
  return colour(2, text);
}
