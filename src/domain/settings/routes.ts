import { route, type Route } from '#core/endpoint';
import { getSetting, listSettings, putSetting, putSettings, resetSetting, revertSetting, settingHistory } from './contract.ts';
import type { Settings } from './settings.ts';

export function settingsRoutes(settings: Settings): readonly Route[] {
  return [
    route(listSettings, async ({ category }) => ({ items: settings.list(category), next: null })),
    route(getSetting, async ({ key }) => settings.describe(key)),
    route(putSettings, async ({ values }, { caller }) => ({ items: await settings.setAll(values, caller.id), next: null })),
    route(putSetting, ({ key, value }, { caller }) => settings.set(key, value, caller.id)),
    route(resetSetting, ({ key }, { caller }) => settings.reset(key, caller.id)),
    route(settingHistory, async ({ key }) => ({ items: await settings.history(key), next: null })),
    route(revertSetting, ({ key, id }, { caller }) => settings.revert(key, id, caller.id)),
  ];
}
