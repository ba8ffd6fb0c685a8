import { InvalidArgumentError } from 'commander';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads an option that is a whole number. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

/** Reads an option such as `30d`, `12h`, `90m`; the time so long from now, ISO 8601. */
export function fromNow(text: string): string {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Give a time such as 30d, 12h or 90m.');
  return new Date(Date.now() + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]).toISOString();
}

/** Reads an option that is a date or a time; ISO 8601, UTC. */
export function instant(text: string): string {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms) && /^\d{4}-\d\d-\d\d/.test(text)) return new Date(ms).toISOString();
  throw new InvalidArgumentError('Give a time such as 2026-03-29T00:00:00Z.');
}

/** Either of the two. */
export function moment(text: string): string {
  return /^\d+[smhd]$/.test(text) ? fromNow(text) : instant(text);
}

/** Reads JSON that was typed; throws `cli.bad_json`, which names the option. */
export function jsonOf(text: string, name: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new AppError(
      'invalid',
      'cli.bad_json',
      `${name} is not JSON: ${(cause as Error).message}. A text needs quotes: '"text"'`,
      { name },
      cause,
    );
  }
}

/** JSON when it is JSON, else the text itself. */
export function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Reads `name=value` options that may be given several times, into one object. */
export function pairs(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Give it as name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
