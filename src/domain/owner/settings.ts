import { z } from 'zod';
import { defineSetting, type Settings } from '#settings';
import type { OwnerDeps } from './owner.ts';

const DAY_MS = 86_400_000;

const sessionIdleDays = defineSetting({
  key: 'owner.session_idle_days',
  schema: z.number().min(0.01).max(365),
  default: 7,
  title: 'Log a browser out when unused for (days)',
  description: 'A session that nobody used for so long ends by itself; it holds for those that are open too.',
  category: 'owner',
});

const sessionMaxDays = defineSetting({
  key: 'owner.session_max_days',
  schema: z.number().min(0.01).max(365),
  default: 30,
  title: 'Log a browser out after (days)',
  description: 'A session ends after so long, however much it was used; one that is open keeps the shorter of this and what it began with.',
  category: 'owner',
});

const tokenWarningDays = defineSetting({
  key: 'owner.token_warning_days',
  schema: z.int().min(0).max(90),
  default: 7,
  title: 'Warn before an API token ends (days)',
  description: 'You are told once, so long before; 0 tells nothing.',
  category: 'owner',
});

/** Settings of this module, for `createSettings`. */
export const ownerSettings = [sessionIdleDays, sessionMaxDays, tokenWarningDays];

/** The limits that these settings say, asked at each use. */
export function ownerLimits(settings: Pick<Settings, 'get'>): Required<Pick<OwnerDeps, 'limits' | 'tokenWarningDays'>> {
  return {
    limits: () => ({ idleMs: settings.get(sessionIdleDays) * DAY_MS, absoluteMs: settings.get(sessionMaxDays) * DAY_MS }),
    tokenWarningDays: () => settings.get(tokenWarningDays),
  };
}
