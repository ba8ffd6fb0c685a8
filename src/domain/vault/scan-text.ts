import { z } from 'zod';
import { scoreInjection } from '#content';
import { route, type Route } from '#core/endpoint';
import { errorInfo } from '#core/errors';
import { parseJson } from '#core/json';
import { scanText, type ScanResult } from './contract.ts';
import type { Redactor } from './redactor.ts';

/** Secrets of a text and how much it looks as if it gave orders. */
export async function scanWhole(text: string, redactor: Pick<Redactor, 'scan'>): Promise<ScanResult> {
  const secrets = redactor
    .scan(text)
    .map(({ provider, start, end, known }) => (known ? { provider: 'vault', start, end, name: provider } : { provider, start, end }));
  return { secrets, injection: await scoreInjection(text) };
}

const Line = z.object({ id: z.union([z.string(), z.number()]), text: z.string() });

/** One JSON line `{ id, text }` answered with what was found and the id, or with `{ error }`. */
export async function answerScanLine(
  line: string,
  redactor: Pick<Redactor, 'scan'>,
): Promise<Partial<ScanResult> & { readonly id?: string | number; readonly error?: string }> {
  try {
    const { id, text } = parseJson(line, Line, 'line');
    return { id, ...(await scanWhole(text, redactor)) };
  } catch (error) {
    return { error: errorInfo(error).message };
  }
}

export function scanRoutes(redactor: Pick<Redactor, 'scan'>): readonly Route[] {
  return [route(scanText, ({ text }) => scanWhole(text, redactor))];
}
