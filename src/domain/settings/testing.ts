import type { Setting } from './contract.ts';
import type { Settings } from './settings.ts';

/** Settings that stand still: defaults, but for the values given by key. For tests of what only reads. */
export function fixedSettings(values: Readonly<Record<string, unknown>> = {}): Pick<Settings, 'get' | 'subscribe'> {
  return {
    get: <T>(setting: Setting<T>) => (Object.hasOwn(values, setting.key) ? (values[setting.key] as T) : setting.default),
    subscribe: () => {},
  };
}
