import { z } from 'zod';
import { defineSetting, type Setting } from './contract.ts';

/** An IANA time zone name, as Intl knows it. */
export const TimeZone = z.string().refine(isTimeZone, 'not a time zone: use an IANA name such as Europe/Rome');

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const ownerName = defineSetting({
  key: 'owner.name',
  schema: z.string().trim().max(100),
  default: '',
  title: 'Your name',
  description: 'How assistants address you.',
  category: 'owner',
});

export const ownerTimeZone = defineSetting({
  key: 'owner.time_zone',
  schema: TimeZone,
  /** The machine's, or that of TZ. */
  get default() {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  },
  title: 'Time zone',
  description: 'The zone that schedules run in and times are shown in, unless they name their own.',
  category: 'owner',
});

export const ownerLanguage = defineSetting({
  key: 'owner.language',
  schema: z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'not a language tag: use one such as en or it-IT'),
  default: 'en',
  title: 'Language',
  description: 'The language briefings and answers are written in (BCP 47).',
  category: 'owner',
});

export const ownerInterests = defineSetting({
  key: 'owner.interests',
  schema: z.array(z.string().trim().min(1).max(200)).max(100),
  default: ['technology', 'science', 'world news'],
  title: 'Interests',
  description: 'Topics that news are scored by.',
  category: 'owner',
});

export const runsRetentionDays = defineSetting({
  key: 'runs.retention_days',
  schema: z.number().int().min(1).max(3_650),
  default: 90,
  title: 'Keep runs for (days)',
  description: 'Finished runs older than this are deleted with their journal.',
  category: 'runs',
});

export const runsRetentionCount = defineSetting({
  key: 'runs.retention_count',
  schema: z.number().int().min(100).max(1_000_000),
  default: 10_000,
  title: 'Keep at most (runs)',
  description: 'Of finished runs, the newest this many are kept.',
  category: 'runs',
});

export const defaultChannel = defineSetting({
  key: 'channels.default',
  schema: z.string().trim().max(100),
  default: '',
  title: 'Default channel',
  description: 'The channel that messages to you go to when nothing else is said; empty is the browser.',
  category: 'channels',
});

export const uiTheme = defineSetting({
  key: 'ui.theme',
  schema: z.enum(['system', 'light', 'dark']),
  default: 'system',
  title: 'Theme',
  description: 'The colours of the admin pages.',
  category: 'appearance',
});

export const webUserAgent = defineSetting({
  key: 'web.user_agent',
  schema: z
    .string()
    .trim()
    .regex(/^[A-Za-z][\x20-\x7e]{0,199}$/, 'not a user agent: use letters, digits and punctuation, like "Castellan (me@example.com)"'),
  default: 'Castellan (personal agent)',
  title: 'User agent',
  description: 'What the program calls itself to the servers it reads. Its first word is the name that robots.txt is searched for.',
  category: 'web',
});

export const webCrawlDelaySeconds = defineSetting({
  key: 'web.crawl_delay_s',
  schema: z.number().min(0).max(60),
  default: 1,
  title: 'Pause between pages of one site (seconds)',
  description:
    'For pages that content led to, not for addresses you wrote down. A site that asks for a longer pause gets it, up to a minute.',
  category: 'web',
});

export const webRobots = defineSetting({
  key: 'web.robots',
  schema: z.boolean(),
  default: true,
  title: 'Obey robots.txt',
  description: 'For pages that content led to, not for addresses you wrote down.',
  category: 'web',
});

/** Settings that belong to no module. */
export const generalSettings: readonly Setting[] = [
  ownerName,
  ownerTimeZone,
  ownerLanguage,
  ownerInterests,
  runsRetentionDays,
  runsRetentionCount,
  defaultChannel,
  webUserAgent,
  webCrawlDelaySeconds,
  webRobots,
  uiTheme,
];
