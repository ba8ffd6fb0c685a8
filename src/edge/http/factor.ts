import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Connection } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { VerifyFactor } from './ports.ts';

/** Long enough for a passkey's answer with an RSA signature. */
const LONGEST = 6_144;

/** Asks once whether this request, for this input, carries a fresh second factor: a code is good once, so it is judged once. */
export function factorCheck(
  request: FastifyRequest,
  connection: Connection,
  input: unknown,
  verifyFactor: VerifyFactor,
): (whenEnrolled: boolean) => Promise<void> {
  const judged = new Map<boolean, Promise<void>>();
  return (whenEnrolled) => {
    const before = judged.get(whenEnrolled);
    if (before) return before;
    const digest = createHash('sha256').update(JSON.stringify(input)).digest('base64url');
    const verdict = verifyFactor({
      caller: request.caller,
      connection,
      act: `${request.method} ${request.url} ${digest}`,
      whenEnrolled,
      ...given(request),
    });
    judged.set(whenEnrolled, verdict);
    return verdict;
  };
}

/** Percent-encoded, for a password may hold any letter and a header may not. */
function given({ headers }: FastifyRequest): { given?: string } {
  const text = headers['castellan-factor'];
  if (text === undefined || text === '') return {};
  if (typeof text !== 'string' || text.length > LONGEST) throw badHeader(`at most ${LONGEST} characters, once`);
  try {
    return { given: decodeURIComponent(text) };
  } catch {
    throw badHeader('is not percent-encoded as it should be');
  }
}

function badHeader(message: string): AppError {
  const field = 'castellan-factor';
  return new AppError('invalid', 'input.invalid', `Headers: ${field}: ${message}`, { issues: [{ field, message }] });
}
