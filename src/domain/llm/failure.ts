import { z } from 'zod';
import { ProviderFailure } from './contract.ts';
import type { FailureReason } from './contract.ts';

const LONGEST_MESSAGE = 500;

/** What the vendors' error bodies have in common: `{ error: { type, code, status, message, details } }`, or parts of it. */
const ErrorObject = z.object({
  message: z.string().optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  code: z.union([z.string(), z.number()]).optional().catch(undefined),
  /** Google's canonical code (google.rpc.Code). */
  status: z.string().optional().catch(undefined),
  details: z
    .array(z.looseObject({ '@type': z.string().optional() }))
    .optional()
    .catch(undefined),
});
const ErrorBody = z.object({ error: z.union([z.string(), ErrorObject]) });

interface Problem {
  readonly message: string;
  /** Every machine-readable word of the body, lower case. */
  readonly words: readonly string[];
  readonly details: readonly Readonly<Record<string, unknown>>[];
}

/** Reads an answer that was not a success. `body` is its text; `headers` have lower-case names. */
export function failureOf(status: number, headers: Readonly<Record<string, string>>, body: string): ProviderFailure {
  const problem = readProblem(body);
  const retryAfterMs = retryAfterOf(headers, problem);
  const reason = reasonOf(status, problem, retryAfterMs);
  const message =
    problem.message || (status >= 300 && status < 400 ? 'redirected; set the base address to where it points' : 'no explanation given');
  return new ProviderFailure(reason, `HTTP ${status}: ${message.slice(0, LONGEST_MESSAGE)}`, status, retryAfterMs);
}

/** Whatever a vendor's library threw or put into its stream, as a ProviderFailure. */
export function toFailure(thrown: unknown): ProviderFailure {
  const seen = new Set<unknown>();
  for (let it = thrown; it instanceof Error && !seen.has(it); it = it.cause) {
    seen.add(it);
    if (it instanceof ProviderFailure) return it;
    const network = networkFailure(it);
    if (network) return network;
  }
  return libraryFailure(thrown);
}

const REFUSED = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'UND_ERR_SOCKET',
  'EPROTO',
]);
const TIMED_OUT = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function networkFailure(error: Error): ProviderFailure | undefined {
  if (error.name === 'AbortError') return new ProviderFailure('cancelled', 'Cancelled');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return undefined;
  if (TIMED_OUT.has(code)) return new ProviderFailure('timeout', `No connection in time (${code})`);
  if (REFUSED.has(code) || /CERT|_TLS_|SSL/.test(code)) return new ProviderFailure('refused', `Cannot connect (${code})`);
  return undefined;
}

/** The shapes the vendor libraries use: an API error with status and body, an error frame of the stream, a parse error. */
const LibraryError = z.object({
  statusCode: z.number().optional().catch(undefined),
  responseBody: z.string().optional().catch(undefined),
  data: z.unknown(),
  message: z.string().optional().catch(undefined),
});

function libraryFailure(thrown: unknown): ProviderFailure {
  const isError = thrown instanceof Error;
  const read = LibraryError.safeParse(thrown).data;
  const frame = isError ? read?.responseBody : JSON.stringify(read?.data ?? thrown);
  if (frame !== undefined && (!isError || (read?.statusCode ?? 200) >= 400)) {
    const problem = readProblem(frame);
    const status = statusOf(problem) ?? read?.statusCode ?? 500;
    return new ProviderFailure(
      reasonOf(status, problem, retryAfterOf({}, problem)),
      (problem.message || 'The stream carried an error').slice(0, LONGEST_MESSAGE),
      status,
      retryAfterOf({}, problem),
    );
  }
  const name = isError ? thrown.name : '';
  if (/InvalidPrompt|InvalidArgument|UnsupportedFunctionality/.test(name))
    return new ProviderFailure('bad_request', (thrown as Error).message.slice(0, LONGEST_MESSAGE));
  if (name.startsWith('AI_')) return new ProviderFailure('protocol', `The answer could not be read (${name.slice(3)})`);
  return new ProviderFailure('protocol', 'The answer could not be read', undefined, undefined, thrown);
}

function readProblem(body: string): Problem {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { message: body.startsWith('<') ? 'answered with a web page; check the base address' : body.trim(), words: [], details: [] };
  }
  // Google wraps a streamed error in an array; an error frame of a stream may come without its wrapper, or deeper in a response object.
  const first: unknown = Array.isArray(value) ? value[0] : value;
  const inner = z.object({ response: ErrorBody }).safeParse(first).data?.response.error;
  const error = inner ?? ErrorBody.safeParse(first).data?.error ?? ErrorObject.safeParse(first).data ?? {};
  if (typeof error === 'string') return { message: error, words: [], details: [] };
  const words = [error.type, error.code, error.status].filter((word) => word !== undefined).map((word) => String(word).toLowerCase());
  return { message: error.message ?? '', words, details: error.details ?? [] };
}

/** The status an error frame inside a successful response stands for. */
function statusOf({ words }: Problem): number | undefined {
  for (const word of words) {
    const status = STATUS_OF_WORD[word];
    if (status !== undefined) return status;
    if (/^[45]\d\d$/.test(word)) return Number(word);
  }
  return undefined;
}

/** Anthropic: platform.claude.com/docs/en/api/errors; OpenAI: platform.openai.com/docs/guides/error-codes; Google: google.rpc.Code. */
const STATUS_OF_WORD: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  api_error: 500,
  server_error: 500,
  internal: 500,
  unavailable: 503,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  resource_exhausted: 429,
  billing_error: 402,
  authentication_error: 401,
  unauthenticated: 401,
  permission_error: 403,
  permission_denied: 403,
  not_found_error: 404,
  model_not_found: 404,
  invalid_request_error: 400,
  invalid_argument: 400,
};

function reasonOf(status: number, { message, words, details }: Problem, retryAfterMs: number | undefined): FailureReason {
  const has = (...wanted: string[]): boolean => wanted.some((word) => words.includes(word));
  if (
    status === 402 ||
    has('insufficient_quota', 'billing_hard_limit_reached', 'billing_error') ||
    /credit balance is too low/i.test(message)
  )
    return 'quota';
  if (status === 401 || status === 403 || details.some((it) => it['reason'] === 'API_KEY_INVALID')) return 'auth';
  if (status === 429) return has('resource_exhausted') && (retryAfterMs === undefined || isDailyQuota(details)) ? 'quota' : 'rate_limited';
  if (has('model_not_found') || (status >= 400 && status < 500 && saysModelMissing(status, message))) return 'model_missing';
  if (status === 408) return 'timeout';
  if (status >= 500) return 'server';
  if (status === 404 || status === 405 || status < 400) return 'protocol';
  return 'bad_request';
}

function saysModelMissing(status: number, message: string): boolean {
  if (status === 404) return /model/i.test(message);
  return /model.{0,120}(not found|does not exist|not exist|not loaded)|no models? (is )?loaded|invalid model/i.test(message);
}

/** A quota per day does not come back after the seconds its RetryInfo names. */
function isDailyQuota(details: Problem['details']): boolean {
  return details.some((it) => Array.isArray(it['violations']) && JSON.stringify(it['violations']).includes('PerDay'));
}

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3), `retry-after-ms` (OpenAI), or `retryDelay` of google.rpc.RetryInfo ("7s"). */
function retryAfterOf(headers: Readonly<Record<string, string>>, { details }: Problem): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (exact >= 0) return exact;
  const after = headers['retry-after'];
  if (after !== undefined) {
    const seconds = Number(after);
    const ms = Number.isNaN(seconds) ? Date.parse(after) - Date.parse(headers['date'] ?? '') : seconds * 1000;
    if (ms >= 0) return ms;
  }
  for (const detail of details) {
    const delay = /^([\d.]+)s$/.exec(String(detail['retryDelay']))?.[1];
    if (delay !== undefined) return Number(delay) * 1000;
  }
  return undefined;
}
