import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import { referencedName } from '#vault/contract';
import type { Setting } from './contract.ts';

/** A value that may be used, or what is wrong with it; the words never repeat the value. */
export type Reading = { readonly value: unknown } | { readonly problem: string };

/** Reads a stored row. A sensitive one holds a reference, or '' for none. */
export function readStored(setting: Setting, text: string): Reading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  if (setting.sensitive) return isHeld(value) ? { value } : { problem: 'holds plain text where a reference to a secret belongs' };
  return readValue(setting, value);
}

/** Reads a value of the setting's own kind; for a sensitive one that is the plain text. */
export function readValue(setting: Setting, value: unknown): Reading {
  const result = setting.schema.safeParse(value);
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0];
  const where = issue?.path.length ? `${issue.path.map(String).join('.')}: ` : '';
  return { problem: `${where}${issue?.message ?? 'is invalid'}` };
}

/** What a sensitive setting may hold as it is: nothing, or a reference. */
export function isHeld(value: unknown): value is string {
  return value === '' || (typeof value === 'string' && referencedName(value) !== null);
}

/** Reads the text of an environment variable: as text, as JSON, or as a list with commas, whichever fits first. */
export function readEnv(setting: Setting, text: string): Reading {
  const asText = readValue(setting, text);
  if ('value' in asText) return asText;
  for (const other of [parsed(text), text.split(',').map((part) => part.trim())]) {
    const reading = readValue(setting, other);
    if ('value' in reading) return reading;
  }
  return asText;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The error for a refused value: names the key, what is wrong and what would do. */
export function invalid(setting: Setting, problem: string): AppError {
  const hint = setting.sensitive ? '' : `; for example ${JSON.stringify(setting.default)}`;
  return new AppError('invalid', 'settings.invalid', `${setting.key}: ${problem}${hint}`, { key: setting.key, problem });
}
