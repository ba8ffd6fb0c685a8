import { z } from 'zod';
import { AppError } from '#core/errors';
import { AnyJson, type Json } from '#core/json';

const DEEPEST = 64;

/** A line of a skill, as it is believed. */
export const FromSkillMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('call'), id: z.int().min(1).max(1e9), method: z.string().max(40), params: AnyJson }),
  z.strictObject({ type: z.literal('drop'), id: z.int().min(1).max(1e9) }),
  z.strictObject({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    data: AnyJson.optional(),
  }),
  z.strictObject({ type: z.literal('done'), outcome: z.string().max(60), output: AnyJson }),
  z.strictObject({
    type: z.literal('failed'),
    error: z.strictObject({
      kind: z.string().max(20),
      code: z.string().max(80),
      message: z.string(),
      details: z.record(z.string(), AnyJson).optional(),
    }),
  }),
]);
export type FromSkillMessage = z.infer<typeof FromSkillMessage>;

/** Reads a line of a skill; throws `skill.broke_protocol`. */
export function readLine(line: string): FromSkillMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw brokeProtocol('wrote a line that is not JSON');
  }
  assertTame(value);
  const parsed = FromSkillMessage.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw brokeProtocol(`wrote a message that is none: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`);
}

export function brokeProtocol(what: string): AppError {
  return new AppError('unavailable', 'skill.broke_protocol', `It ${what}`);
}

/**
 * Refuses what is JSON and yet a trap for who walks it: nesting that would overflow a stack, and a field named `__proto__`, which an
 * assignment somewhere would take for the prototype. Walks without recursion.
 */
export function assertTame(value: unknown): asserts value is Json {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw brokeProtocol(`wrote a value more than ${DEEPEST} levels deep`);
    const below: unknown[] = [];
    for (const each of level) {
      if (each === null || typeof each !== 'object') continue;
      if (Object.hasOwn(each, '__proto__')) throw brokeProtocol('wrote a field named __proto__');
      for (const inner of Object.values(each)) if (inner !== null && typeof inner === 'object') below.push(inner);
    }
    level = below;
  }
}
