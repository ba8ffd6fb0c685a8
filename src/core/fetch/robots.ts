import { AppError } from '../errors.ts';

/** What a site asks of robots (RFC 9309). */
export interface Robots {
  allows(url: URL): boolean;
  /** Its `Crawl-delay`, which is no standard and is honoured all the same. */
  readonly delayMs: number | null;
}

/** What was found at `/robots.txt`. */
export interface RobotsAnswer {
  readonly status: number;
  readonly text: string;
}

/** So much of a file is read (RFC 9309, section 2.5). */
export const ROBOTS_BYTES = 500 * 1024;

/** What a hostile file could cost: its patterns are tried against the path one by one. */
const LONGEST_LINE = 2_000;
const LONGEST_PATTERN = 150;
const MOST_STARS = 8;
const MOST_PATTERNS = 300;
const LONGEST_PATH = 500;

const EVERYTHING: Robots = { allows: () => true, delayMs: null };

/** Reads the answer for the product `token`; one that is not there allows everything, one that cannot be had nothing for now. */
export async function readRobots({ status, text }: RobotsAnswer, origin: string, token: string): Promise<Robots> {
  if (status === 429 || status >= 500) {
    const { host } = new URL(origin);
    const message = `${host} does not say just now what it asks of robots (robots.txt answered ${status}), so it is left alone; try again later`;
    throw new AppError('unavailable', 'fetch.robots_unavailable', message, { host, status });
  }
  if (status < 200 || status > 299) return EVERYTHING;
  // Its types describe no default export of a CommonJS module.
  const { default: parse } = (await import('robots-parser')) as unknown as {
    default: (
      url: string,
      text: string,
    ) => { isAllowed(url: string, token: string): boolean | undefined; getCrawlDelay(token: string): number | undefined };
  };
  const rules = parse(`${origin}/robots.txt`, prepared(text, token));
  const delayS = rules.getCrawlDelay(token);
  return {
    allows: ({ pathname, search }) => rules.isAllowed(origin + (pathname + search).slice(0, LONGEST_PATH), token) ?? true,
    delayMs: delayS !== undefined && delayS > 0 ? delayS * 1_000 : null,
  };
}

/** The product token of a user agent, which is what groups of a robots.txt name: `Castellan/1.0 (…)` is `castellan`. */
export function productToken(userAgent: string): string {
  return /^[A-Za-z_-]+/.exec(userAgent)?.[0].toLowerCase() ?? 'castellan';
}

/**
 * Only what the parser can take: a thousand agents with a thousand rules would be a million rules to it. Agents that are not meant
 * become one, so that their rules stay apart from ours.
 */
function prepared(text: string, token: string): string {
  let [agents, patterns] = [new Set<string>(), 0];
  let inAgents = false;
  const lines = text
    .replace(/^\uFEFF/, '')
    .slice(0, ROBOTS_BYTES)
    .split(/\r\n|\r|\n/);
  return lines
    .flatMap((raw) => {
      const [, name = '', value = ''] = /^\s*([a-z-]+)\s*:\s*([^#]*)/i.exec(raw.slice(0, LONGEST_LINE)) ?? [];
      const field = name.toLowerCase();
      if (field === 'user-agent') {
        if (!inAgents) agents = new Set();
        inAgents = true;
        const agent = value.trim() === '*' ? '*' : productToken(value.trim()) === token ? token : 'another';
        if (agents.has(agent)) return [];
        agents.add(agent);
        return [`user-agent: ${agent}`];
      }
      if (!/^(allow|disallow|crawl-delay)$/.test(field)) return [];
      inAgents = false;
      const stars = value.split('*').length - 1;
      if (stars > 0 && (stars > MOST_STARS || value.length > LONGEST_PATTERN || (patterns += 1) > MOST_PATTERNS)) return [];
      return [`${field}: ${value}`];
    })
    .join('\n');
}
