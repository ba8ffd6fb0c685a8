/** What a caller may do about an error: each kind maps to one HTTP status and one CLI exit code. */
export type ErrorKind = 'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'limited' | 'unavailable';

/** An error whose message is safe to show. Anything else that is thrown is a bug and shows as `internal`. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly kind: ErrorKind;
  /** Stable and documented, e.g. `memory.not_found`; tests and clients match on it, never on the message. */
  readonly code: string;
  /** Safe to show and to store: never a secret, never a stack. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, code: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.code = code;
    this.details = details;
  }
}

/** The HTTP status of each kind (RFC 9110). */
export const httpStatus: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  limited: 429,
  unavailable: 503,
};

/** The process exit code of each kind; 69, 77 and 78 are those of sysexits(3). */
export const exitCode: Readonly<Record<ErrorKind, number>> = {
  invalid: 2,
  unauthenticated: 77,
  forbidden: 77,
  not_found: 1,
  conflict: 1,
  limited: 1,
  unavailable: 1,
};

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** An error in the shape that is stored in a journal or sent to a client: no stack, no cause. */
export interface ErrorInfo {
  readonly kind: ErrorKind | 'internal' | 'cancelled';
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Describes a thrown value for the journal; an unknown error keeps its message, which only the owner sees. */
export function errorInfo(thrown: unknown): ErrorInfo {
  if (thrown instanceof AppError) {
    const { kind, code, message, details } = thrown;
    return { kind, code, message, ...(Object.keys(details).length > 0 && { details }) };
  }
  const error = toError(thrown);
  if (error.name === 'AbortError') return { kind: 'cancelled', code: 'cancelled', message: 'Cancelled' };
  return { kind: 'internal', code: 'internal', message: error.message };
}
