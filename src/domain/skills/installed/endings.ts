import { AppError } from '#core/errors';
import type { ProcessEnd } from '#core/line-process';
import type { Manifest } from './manifest.ts';

const OUT_OF_MEMORY =
  /JavaScript heap out of memory|JavaScript out of memory|OOM|memory allocation of \d+ bytes failed|Array buffer allocation failed|process out of memory/i;
/** SIGXCPU by number on Linux, and as a shell or bubblewrap tells of it. */
const CPU_CODES = [24, 128 + 24];

/** Why a skill's process ended without having said how: always the skill's doing, and told so that its author can mend it. */
export function whyItEnded(
  { name, memoryMb, timeoutMs }: Pick<Manifest, 'name' | 'memoryMb' | 'timeoutMs'>,
  { code, signal, said, cause }: ProcessEnd,
): AppError {
  const details = {
    skill: name,
    ...(code !== null && { code }),
    ...(signal !== null && { signal }),
    ...(said.length > 0 && { said: said.slice(-5) }),
  };
  const failed = (errorCode: 'skill.flood' | 'skill.broke_protocol', message: string): AppError =>
    new AppError('unavailable', errorCode, message, details, cause);
  if (cause instanceof AppError) {
    if (
      cause.code === 'process.line_too_long' ||
      cause.code === 'process.too_talkative' ||
      cause.code === 'process.deaf' ||
      cause.code === 'skill.flood'
    )
      return failed('skill.flood', `${name} was ended: ${cause.message}`);
    if (cause.code === 'skill.broke_protocol') return failed('skill.broke_protocol', `${name} was ended: ${cause.message}`);
    return new AppError('unavailable', 'skill.not_started', `${name} could not be started: ${cause.message}`, details, cause);
  }
  if (said.some((line) => OUT_OF_MEMORY.test(line)))
    return new AppError(
      'unavailable',
      'skill.out_of_memory',
      `${name} needed more than the ${memoryMb} MB it may have ("memoryMb" of skill.json)`,
      details,
      cause,
    );
  if (signal === 'SIGXCPU' || CPU_CODES.includes(code ?? 0))
    return new AppError(
      'unavailable',
      'skill.cpu_limit',
      `${name} used all the processor time that its time limit of ${timeoutMs} ms allows`,
      details,
      cause,
    );
  const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
  return new AppError(
    'unavailable',
    'skill.crashed',
    `${name} ${how} without saying how it went${said.length > 0 ? `: ${said.at(-1)}` : ''}`,
    details,
    cause,
  );
}
