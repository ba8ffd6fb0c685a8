import type { Api } from 'grammy';
import { AppError, toError } from '#core/errors';
import type { GuardedFetch } from '#core/fetch';
import type { Secret } from '#core/secret';
import { failureCode, retryAfterMs } from '../failure.ts';

/** The Bot API waits this long for something to tell (getUpdates, `timeout`). */
export const POLL_SECONDS = 30;
const CALL_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** grammY's types for these parts are those of its own shims. */
export type GrammySignal = NonNullable<Parameters<Api['getMe']>[0]>;

export const asGrammySignal = (signal: AbortSignal): GrammySignal => signal as unknown as GrammySignal;

/** Calls a method; what it throws is one of our codes. */
export type Call = <T>(method: (api: Api) => Promise<T>) => Promise<T>;

export interface TelegramOptions {
  readonly token: Secret;
  /** Without the slash at its end. */
  readonly apiRoot: string;
  readonly fetch: GuardedFetch;
  readonly signal: AbortSignal;
}

/** grammY's client on our guarded way out. The token is part of every address there, so addresses never reach an error. */
export async function openApi({ token, apiRoot, fetch, signal }: TelegramOptions): Promise<Api> {
  const grammy = await import('grammy');
  const send = async (url: string, init: { method?: string; headers?: Record<string, string>; body?: unknown; signal?: AbortSignal }) => {
    const isPoll = url.endsWith('/getUpdates');
    const { status, body } = await fetch.fetch({
      url,
      method: init.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(typeof init.body === 'string' && { body: init.body }),
      signal: init.signal ? linked(init.signal) : signal,
      timeoutMs: isPoll ? (POLL_SECONDS + 20) * 1_000 : CALL_TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      maxRedirects: 0,
      allowPrivate: true, // the root is the owner's own setting
    });
    return { json: async () => readAnswer(Buffer.from(body).toString('utf8'), status) };
  };
  return token.use((value) => new grammy.Api(value, { apiRoot, fetch: send as never, timeoutSeconds: POLL_SECONDS + 30 }));
}

/** grammY hands on an AbortController of a shim, which `AbortSignal.any` does not take. */
function linked(signal: AbortSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  const shim = signal as AbortSignal;
  if (shim.aborted) controller.abort();
  else shim.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}

/** An answer that is no JSON (a proxy's page) counts as a failure of the server. */
function readAnswer(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { ok: false, error_code: status, description: `HTTP ${status} without a JSON answer` };
  }
}

interface BotFailure {
  readonly error_code: number;
  readonly description: string;
  readonly parameters: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

/** Whatever a call threw, as one of our codes; see `failure.ts`. Error codes: Bot API, "Making requests". */
export function translate(thrown: unknown): Error {
  const error = toError(thrown);
  if (error.name === 'GrammyError') return botError(error as Error & BotFailure);
  if (error.name !== 'HttpError') return error;
  const cause = (error as Error & { error?: unknown }).error;
  if (cause instanceof AppError && /^fetch\.(refused|dns|tls|blocked|bad_url)$/.test(cause.code))
    return new AppError(
      'unavailable',
      'channel.unreachable',
      `Telegram cannot be reached: ${cause.message}`,
      { reason: cause.code },
      cause,
    );
  const why = cause instanceof AppError ? cause.message : 'the connection broke';
  return new AppError('unavailable', 'channel.outcome_unknown', `It is not known whether Telegram took this: ${why}`, {
    reason: cause instanceof AppError ? cause.code : 'unknown',
  });
}

function botError({ error_code: status, description, parameters }: Error & BotFailure): AppError {
  const said = `Telegram: ${description}`;
  if (status === 429) return new AppError('limited', 'channel.limited', said, { retryAfterMs: (parameters.retry_after ?? 1) * 1_000 });
  if (status === 401 || status === 404)
    return new AppError(
      'unavailable',
      'channel.unauthorized',
      `${said}: the bot token is not good; get it from @BotFather and set it in the vault`,
    );
  if (status === 403) return new AppError('forbidden', 'channel.blocked', said);
  if (status === 409)
    return new AppError(
      'conflict',
      'channel.conflict',
      `${said}: another program reads this bot's messages; stop it, or give each its own bot`,
    );
  if (status >= 500) return new AppError('unavailable', 'channel.outcome_unknown', said, { status });
  return new AppError('invalid', 'channel.refused', said, { status });
}

/** The text was refused for its form, not for what it is. */
export function isParseError(error: unknown): boolean {
  return (
    error instanceof AppError &&
    error.code === 'channel.refused' &&
    /can't parse entities|message is too long|ENTITY|entit/i.test(error.message)
  );
}

export function isNotModified(error: unknown): boolean {
  return error instanceof AppError && error.code === 'channel.refused' && error.message.includes('message is not modified');
}

/** An error of Telegram or the way there; any other is ours, and a crash. */
export function isOfPlatform(error: unknown): boolean {
  return failureCode(error).startsWith('channel.');
}

/** The pause before the next try: as long as Telegram asks; else 1 s doubling to a minute. */
export function retryMs(error: unknown, failures: number): number {
  return retryAfterMs(error) ?? Math.min(60_000, 500 * 2 ** failures);
}
