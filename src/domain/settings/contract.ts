import { z } from 'zod';
import { endpoint, listOf } from '#core/endpoint';
import type { Json } from '#core/json';

/** A runtime setting as a value: made with `defineSetting`, handed to `createSettings` in a list. */
export interface Setting<T = unknown> {
  /** `<module>.<name>`, dots as deep as needed: `memory.retention_days`. Never renamed. */
  readonly key: string;
  readonly schema: z.ZodType<T>;
  /** May be a getter, where the default depends on the machine. */
  readonly default: T;
  readonly title: string;
  /** One sentence for the owner: what it changes. */
  readonly description: string;
  /** The page it is shown on. */
  readonly category: string;
  /** The value belongs in the vault: the setting holds `@secret:name` or ''. Its schema is of the plain text. */
  readonly sensitive?: boolean;
  /** Environment variables that give its value at first start, the first one set wins. */
  readonly env?: readonly string[];
}

export function defineSetting<S extends z.ZodType>(
  it: Omit<Setting<z.output<S>>, 'schema'> & { readonly schema: S },
): Setting<z.output<S>> {
  return it as Setting<z.output<S>>;
}

/** What the owner is to be told, by whatever way there is; satisfied by notifications, or by the log. */
export type Tell = (severity: 'info' | 'warning' | 'critical', title: string, body: string) => void;

const Value = z.json() as z.ZodType<Json>;

/** A setting as the owner sees it. */
export const SettingInfo = z.object({
  key: z.string(),
  title: z.string(),
  description: z.string(),
  category: z.string(),
  sensitive: z.boolean(),
  /** The value in force; a reference when sensitive. */
  value: Value,
  default: Value,
  isDefault: z.boolean(),
  /** ISO 8601, UTC; null when it was never changed. */
  changedAt: z.string().nullable(),
  changedBy: z.string().nullable(),
  /** What is wrong with the stored value, when another one is in force instead. */
  problem: z.string().nullable(),
  /** JSON Schema of the value, for forms. */
  schema: Value,
});
export type SettingInfo = z.infer<typeof SettingInfo>;

export const SettingChange = z.object({
  id: z.string(),
  key: z.string(),
  /** Null: back to the default. */
  value: Value.nullable(),
  changedAt: z.string(),
  changedBy: z.string(),
});
export type SettingChange = z.infer<typeof SettingChange>;

const Key = z.strictObject({ key: z.string() });

export const listSettings = endpoint({
  method: 'GET',
  path: '/api/settings',
  grant: 'settings:read',
  summary: 'Every setting with its value, its default and who changed it.',
  input: z.strictObject({ category: z.string().optional() }),
  output: listOf(SettingInfo),
});
export const getSetting = endpoint({
  method: 'GET',
  path: '/api/settings/{key}',
  grant: 'settings:read',
  summary: 'One setting.',
  input: Key,
  output: SettingInfo,
});
export const putSettings = endpoint({
  method: 'PUT',
  path: '/api/settings',
  grant: 'settings:write',
  summary: 'Changes several settings, all or none.',
  input: z.strictObject({ values: z.record(z.string(), Value) }),
  output: listOf(SettingInfo),
});
export const putSetting = endpoint({
  method: 'PUT',
  path: '/api/settings/{key}',
  grant: 'settings:write',
  summary: 'Changes a setting.',
  input: Key.extend({ value: Value }),
  output: SettingInfo,
});
export const resetSetting = endpoint({
  method: 'DELETE',
  path: '/api/settings/{key}',
  grant: 'settings:write',
  summary: 'Puts a setting back to its default.',
  input: Key,
  output: SettingInfo,
});
export const settingHistory = endpoint({
  method: 'GET',
  path: '/api/settings/{key}/history',
  grant: 'settings:read',
  summary: 'The values a setting had, newest first.',
  input: Key,
  output: listOf(SettingChange),
});
export const revertSetting = endpoint({
  method: 'POST',
  path: '/api/settings/{key}/revert',
  grant: 'settings:write',
  summary: 'Gives a setting the value of an entry of its history again.',
  input: Key.extend({ id: z.string() }),
  output: SettingInfo,
});

declare module '#core/bus' {
  interface Events {
    /** The cache already holds the new value. */
    'settings.changed': { readonly key: string; readonly changedBy: string };
  }
}
