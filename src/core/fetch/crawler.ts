import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { productToken, readRobots, type Robots, type RobotsAnswer } from './robots.ts';
import { createTurns, type RestingHost, type Turn } from './turns.ts';

const ROBOTS_KEPT_MS = 24 * 3_600_000;
const MOST_ROBOTS = 1_000;
/** A site may ask for more; nobody waits longer between two pages. */
const LONGEST_DELAY_MS = 60_000;
const MOST_REFUSALS = 50;

/** How pages that nobody configured are visited; asked anew for each. */
export interface CrawlManners {
  readonly userAgent: string;
  /** Whether robots.txt is asked and obeyed. */
  readonly robots: boolean;
  /** The pause between two pages of one host; a longer `Crawl-delay` of the site beats it. */
  readonly delayMs: number;
}

/** A page that a site asked robots not to read. */
export interface RobotsRefusal {
  readonly url: string;
  readonly at: number;
}

/** Reads pages as a guest: as the site asks, one at a time, and not too fast. */
export interface Crawler {
  /** Throws `fetch.robots_denied`, `fetch.robots_unavailable`, `fetch.host_resting`, what the robots file could not be had for, or the signal's reason. */
  enter(url: URL, signal: AbortSignal): Promise<Turn>;
  /** Whether robots may read it: of a page that the first one of this host redirects to. */
  check(url: URL, signal: AbortSignal): Promise<void>;
  /** What the page was answered with: 429 and 503 close the host for a while. */
  answered(url: URL, status: number, retryAfter: string | null): void;
  state(): { readonly resting: readonly RestingHost[]; readonly refusals: readonly RobotsRefusal[] };
}

export interface CrawlerDeps {
  readonly clock: Clock;
  readonly manners: () => CrawlManners;
  /** Gets a robots.txt; follows redirects, rejects where there is no way to the host. */
  readonly get: (url: string) => Promise<RobotsAnswer>;
}

export function createCrawler({ clock, manners, get }: CrawlerDeps): Crawler {
  const turns = createTurns(clock);
  const known = new Map<string, { readonly until: number; readonly robots: Promise<Robots> }>();
  const refusals: RobotsRefusal[] = [];

  function robotsOf(origin: string, token: string): Promise<Robots> {
    const key = `${token} ${origin}`;
    const kept = known.get(key);
    if (kept && kept.until > clock.now()) return kept.robots;
    const robots = get(`${origin}/robots.txt`).then((answer) => readRobots(answer, origin, token));
    // What could not be had is asked for again by the next.
    robots.catch(() => known.delete(key));
    known.delete(key);
    if (known.size >= MOST_ROBOTS) known.delete(known.keys().next().value!);
    known.set(key, { until: clock.now() + ROBOTS_KEPT_MS, robots });
    return robots;
  }

  async function permitted(url: URL, { robots, userAgent }: CrawlManners, signal: AbortSignal): Promise<number> {
    if (!robots) return 0;
    const rules = await orAborted(robotsOf(url.origin, productToken(userAgent)), signal);
    if (rules.allows(url)) return Math.min(rules.delayMs ?? 0, LONGEST_DELAY_MS);
    refusals.push({ url: url.origin + url.pathname, at: clock.now() });
    if (refusals.length > MOST_REFUSALS) refusals.shift();
    throw new AppError(
      'forbidden',
      'fetch.robots_denied',
      `${url.host} asks robots not to read this page (robots.txt). An address that you write into a workflow is read all the same; the setting web.robots turns the question off`,
      { host: url.host },
    );
  }

  return {
    async enter(url, signal) {
      const how = manners();
      const asked = await permitted(url, how, signal);
      return turns.take(url.host, Math.max(how.delayMs, asked), signal);
    },
    check: async (url, signal) => void (await permitted(url, manners(), signal)),
    answered(url, status, retryAfter) {
      if (status === 429 || (status === 503 && retryAfter !== null)) turns.close(url.host, retryAfter);
    },
    state: () => ({ resting: turns.resting(), refusals: [...refusals] }),
  };
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
