import { z } from 'zod';
import { errorInfo } from '#core/errors';
import { check } from '#core/json';
import { nextOccurrences, parseCron } from './cron.ts';

const Line = z.object({
  expression: z.string(),
  tz: z.string().default('UTC'),
  from: z.iso.datetime({ offset: true }),
  count: z.int().min(1).max(1_000).optional(),
});

/** One JSON line `{ expression, tz, from }` answered with `{ expected: […] }` (ISO 8601, whole seconds) or `{ error }`. */
export function answerLine(line: string, defaultCount: number): { readonly expected: readonly string[] } | { readonly error: string } {
  try {
    const { expression, tz, from, count = defaultCount } = check(JSON.parse(line), Line, 'line');
    return { expected: nextOccurrences(parseCron(expression, tz), Date.parse(from), count).map(toIso) };
  } catch (error) {
    return { error: errorInfo(error).message };
  }
}

/** ISO 8601 in UTC without the milliseconds that no cron expression has. */
export function toIso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
