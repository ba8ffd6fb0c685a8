import type { CrawlManners } from '#core/fetch';
import { webCrawlDelaySeconds, webRobots, webUserAgent, type Settings } from '#settings';

/** How the program behaves on other people's sites, as the owner set it. */
export function mannersOf(settings: Pick<Settings, 'get'>): CrawlManners {
  return {
    userAgent: settings.get(webUserAgent),
    robots: settings.get(webRobots),
    delayMs: settings.get(webCrawlDelaySeconds) * 1_000,
  };
}
