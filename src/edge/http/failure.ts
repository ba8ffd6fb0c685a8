import { AppError, httpStatus, toError, type ErrorKind } from '#core/errors';

/** An error as a client sees it. */
export interface Failure {
  readonly status: number;
  readonly body: {
    readonly error: { kind: ErrorKind | 'internal'; code: string; message: string; details: Readonly<Record<string, unknown>>; id: string };
  };
  /** For the `Retry-After` header: from `details.retryAfterSeconds`. */
  readonly retryAfterSeconds?: number;
  /** Nobody meant it to happen: to be logged with its stack. */
  readonly isBug: boolean;
}

/** Codes whose status is finer than that of their kind (RFC 9110, section 15.5). */
const STATUS: Readonly<Record<string, number>> = {
  'http.method_not_allowed': 405,
  'http.body_too_large': 413,
  'input.too_large': 413,
  'http.unsupported_media_type': 415,
};

/** Describes whatever was thrown. A bug shows nothing of itself but the id under which the log has it. */
export function failureOf(thrown: unknown, id: string): Failure {
  const error = thrown instanceof AppError ? thrown : fromFastify(thrown);
  if (error === null) {
    const message = `Something went wrong inside; the log has it under ${id}`;
    return { status: 500, body: { error: { kind: 'internal', code: 'internal', message, details: {}, id } }, isBug: true };
  }
  const { kind, code, message, details } = error;
  const { retryAfterSeconds } = details;
  return {
    status: STATUS[code] ?? httpStatus[kind],
    body: { error: { kind, code, message, details, id } },
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
    isBug: false,
  };
}

/** What Fastify refuses by itself, in our words. */
const REFUSALS: Readonly<Record<string, () => AppError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError('invalid', 'http.body_too_large', 'The body is larger than this address takes'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new AppError('invalid', 'http.unsupported_media_type', 'Send the body as Content-Type: application/json'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new AppError('invalid', 'json.malformed', 'The body is not valid JSON'),
  FST_ERR_BAD_URL: () => new AppError('invalid', 'http.bad_url', 'The path is not a valid URL: check its percent signs'),
};

/** null for what is no refusal of a request but a bug. */
function fromFastify(thrown: unknown): AppError | null {
  const { code = '', statusCode = 500 } = toError(thrown) as { code?: string; statusCode?: number };
  const known = REFUSALS[code];
  if (known) return known();
  const isRefusal = code.startsWith('FST_ERR_') && statusCode >= 400 && statusCode <= 499;
  return isRefusal ? new AppError('invalid', 'http.bad_request', 'The request is not valid HTTP') : null;
}
