import { z } from 'zod';
import { Tier } from '#llm/contract';
import { defineSetting } from '#settings';

export const skillModels = defineSetting({
  key: 'skills.models',
  schema: z.record(z.string(), z.strictObject({ tier: Tier.optional(), provider: z.string().optional(), model: z.string().optional() })),
  default: {},
  title: 'Models of skills',
  description: 'What a skill asks for when neither its step nor its workflow says: {"llm_score": {"tier": "light"}}.',
  category: 'skills',
});

export const breakerThreshold = defineSetting({
  key: 'skills.breaker_threshold',
  schema: z.number().int().min(1).max(1_000),
  default: 5,
  title: 'Failures before a rest',
  description: 'So many failures in a row of a skill or a host, and it is left alone for a while.',
  category: 'skills',
});

export const breakerCoolDownSeconds = defineSetting({
  key: 'skills.breaker_cool_down_s',
  schema: z.number().int().min(1).max(3_600),
  default: 60,
  title: 'First rest (seconds)',
  description: 'How long it is left alone before one call tries again; each failed try doubles it, up to an hour.',
  category: 'skills',
});

/** Settings of this module. */
export const skillSettings = [skillModels, breakerThreshold, breakerCoolDownSeconds] as const;
