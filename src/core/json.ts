import { z } from 'zod';
import { AppError } from './errors.ts';

/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A schema for any JSON value. */
export const AnyJson = z.json() as unknown as z.ZodType<Json>;

/** The same value with every text in it changed, names of fields too. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((it: Json) => mapTexts(it, change));
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [change(key), mapTexts(it as Json, change)]));
}

/** Parses JSON text with a schema; both failures name `what` and the field. */
export function parseJson<S extends z.ZodType>(text: string, schema: S, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid', 'json.malformed', `${what} is not valid JSON: ${(cause as Error).message}`, {}, cause);
  }
  return check(value, schema, what);
}

/** Reads a value with a schema; the error says which field is wrong and why. */
export function check<S extends z.ZodType>(value: unknown, schema: S, what: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ field: path.map(String).join('.'), message }));
  const first = issues[0];
  const where = first?.field ? `${what}: ${first.field}` : what;
  throw new AppError('invalid', 'input.invalid', `${where}: ${first?.message ?? 'invalid'}`, { issues }, result.error);
}

/** JSON with its keys in one fixed order, for hashing and comparing. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
