import { z } from 'zod';
import type { Json } from '#core/json';

const DEEPEST = 8;
const MOST_NODES = 500;
const ANNOTATIONS = ['$schema', 'title', 'description', 'default', 'examples'];
const RULES =
  'type enum const anyOf properties required additionalProperties items minItems maxItems minLength maxLength format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf';
const KEYWORDS = new Set([...ANNOTATIONS, ...RULES.split(' ')]);
const FORMATS = ['date', 'date-time', 'uri', 'uuid'];

/** What is wrong with a schema that a skill brings, as path and message; empty when it may be used. */
export function schemaProblems(schema: Json): { readonly path: readonly string[]; readonly message: string }[] {
  const problems: { path: readonly string[]; message: string }[] = [];
  let nodes = 0;
  const visit = (at: Json, path: readonly string[]): void => {
    nodes += 1;
    const say = (message: string, key?: string): void => void problems.push({ path: key === undefined ? path : [...path, key], message });
    if (nodes > MOST_NODES) return void (nodes === MOST_NODES + 1 && say(`a schema has at most ${MOST_NODES} parts`));
    if (path.length > DEEPEST * 2) return say(`a schema is at most ${DEEPEST} levels deep`);
    if (typeof at === 'boolean') return;
    if (at === null || typeof at !== 'object' || Array.isArray(at)) return say('a schema is an object');
    const node = at as { readonly [key: string]: Json };
    for (const key of Object.keys(node))
      if (!KEYWORDS.has(key)) say(`"${key}" is not understood here; use ${RULES.replaceAll(' ', ', ')}`, key);
    if (node['format'] !== undefined && !FORMATS.includes(node['format'] as string)) say(`use one of ${FORMATS.join(', ')}`, 'format');
    for (const [name, each] of entriesOf(node['properties'])) visit(each, [...path, 'properties', name]);
    for (const key of ['items', 'additionalProperties']) if (node[key] !== undefined) visit(node[key]!, [...path, key]);
    if (Array.isArray(node['anyOf']))
      for (const [index, each] of (node['anyOf'] as readonly Json[]).entries()) visit(each, [...path, 'anyOf', String(index)]);
  };
  visit(schema, []);
  if (problems.length === 0 && toZod(schema) === null) problems.push({ path: [], message: 'is not a valid JSON Schema' });
  return problems;
}

/** A schema of the subset as zod; null when zod cannot make one of it. */
export function toZod(schema: Json): z.ZodType | null {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    return null;
  }
}

/**
 * JSON Schema as a skill may use it. A subset: nothing in it can make checking a value slow (`pattern`) or endless (`$ref`), for it is checked
 * in the agent's own process.
 */
export const SkillSchema = z.json().superRefine((schema, context) => {
  for (const { path, message } of schemaProblems(schema as Json)) context.addIssue({ code: 'custom', path: [...path], message });
}) as unknown as z.ZodType<Json>;

function entriesOf(value: Json | undefined): [string, Json][] {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [];
}
