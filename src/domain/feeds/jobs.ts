import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Feed, ReadablePage, SourceHints } from './contract.ts';
import { parseFeed } from './parse.ts';

/** What the worker can be asked for. */
export type Job = { readonly kind: 'feed' | 'page'; readonly bytes: Uint8Array | string; readonly hints: SourceHints };
export type Answer = { readonly value: Feed | ReadablePage } | { readonly error: ErrorInfo };

/** Does a job wherever it is called, in the worker or on the main thread. */
export async function doJob({ kind, bytes, hints }: Job): Promise<Feed | ReadablePage> {
  if (kind === 'feed') return parseFeed(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, hints);
  const { readPage } = await import('./page.ts');
  return readPage(bytes, hints);
}

export async function answer(job: Job): Promise<Answer> {
  try {
    return { value: await doJob(job) };
  } catch (error) {
    return { error: errorInfo(error) };
  }
}

/** The error that crossed the thread border, as what it was. */
export function revive({ kind, code, message, details }: ErrorInfo): Error {
  return kind === 'internal' || kind === 'cancelled' ? new Error(message) : new AppError(kind, code, message, details);
}
