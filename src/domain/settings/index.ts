export { defineSetting } from './contract.ts';
export {
  defaultChannel,
  generalSettings,
  ownerInterests,
  ownerLanguage,
  ownerName,
  ownerTimeZone,
  runsRetentionCount,
  runsRetentionDays,
  webCrawlDelaySeconds,
  webRobots,
  webUserAgent,
} from './definitions.ts';
export { nearest } from './nearest.ts';
export { settingsRoutes } from './routes.ts';
export { createSettings, type Settings, type SettingsDeps } from './settings.ts';
export { settingsMigrations } from './tables.ts';
