import { z } from 'zod';
import { canonicalPattern } from './patterns.ts';

/** Where content came from, in the words of `#runs`, which stands above this module. */
export const ContentLabel = z.enum(['owner', 'untrusted', 'private', 'secret']);
export type ContentLabel = z.infer<typeof ContentLabel>;

export const Effect = z.enum(['allow', 'deny', 'ask']);
export type Effect = z.infer<typeof Effect>;

const KINDS = ['owner', 'cli', 'token', 'workflow', 'skill', 'assistant', 'channel', 'mcp', 'node'] as const;

/** Who: `workflow:0199…`, `skill:web_fetch`, `channel:7:42`; `*` in the place of the last part is all of them, alone it is everybody. */
export const PrincipalPattern = z
  .string()
  .max(300)
  .regex(
    new RegExp(`^(?:\\*|(?:${KINDS.join('|')})(?::[^\\s:*]+)*(?::\\*)?)$`),
    `a principal is one of ${KINDS.join(', ')} with what it names: "workflow:ID", "workflow:*", "channel:ID:SENDER"; or "*"`,
  );

/** What: `net:fetch`, `net:*` or `*`. */
export const CapabilityPattern = z
  .string()
  .max(100)
  .regex(/^(?:\*|[a-z][a-z0-9_-]*:(?:\*|[a-z][a-z0-9_-]*))$/, 'a capability is "area:verb", "area:*" or "*"');

/** One principal, no pattern. */
export const PrincipalName = PrincipalPattern.refine((text) => !text.includes('*'), 'name one principal: "workflow:ID", "token:ID"');
/** One capability, no pattern. */
export const CapabilityName = CapabilityPattern.refine((text) => !text.includes('*'), 'name one capability: "net:fetch"');

/** On what: see `patterns.ts`; stored in its canonical form. */
export const ResourcePattern = z
  .string()
  .min(1)
  .max(2_000)
  .transform((text, context) => {
    const canonical = canonicalPattern(text);
    if (canonical !== null) return canonical;
    context.addIssue({
      code: 'custom',
      message: '"*" stands alone, before a domain ("*.example.com:443"), after a colon ("telegram:*") or after a folder ("/notes/**")',
    });
    return z.NEVER;
  });

const Minutes = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day: 07:30');

export const Conditions = z.strictObject({
  /** Only within these hours; a window may cross midnight and then belongs to the day it began. Days: 0 is Sunday. */
  hours: z
    .strictObject({
      from: Minutes,
      to: Minutes,
      days: z.array(z.int().min(0).max(6)).min(1).optional(),
      timeZone: z.string().refine(isTimeZone, 'an IANA time zone: Europe/Rome'),
    })
    .optional(),
  /** At most so many uses within the period, which slides. */
  rate: z
    .strictObject({
      times: z.int().min(1).max(1_000),
      perMs: z
        .int()
        .min(1_000)
        .max(31 * 86_400_000),
    })
    .optional(),
  /** How many principals may stand before the one that asks: 0 is nobody, 2 is owner and workflow. */
  maxDepth: z.int().min(0).max(16).optional(),
  /** Only while the run has spent less than this. */
  budgetUsd: z.number().min(0).optional(),
  /** Labels the content at hand may carry, in place of those that the sink takes; `secret` is never taken. */
  labels: z.array(ContentLabel.exclude(['secret'])).optional(),
  /** Only on this node. */
  node: z.string().min(1).max(200).optional(),
  /** Only on resources that the owner named in the workflow itself. */
  named: z.literal(true).optional(),
});
export type Conditions = z.infer<typeof Conditions>;

export const NewGrant = z
  .strictObject({
    principal: PrincipalPattern,
    capability: CapabilityPattern,
    resource: ResourcePattern.default('*'),
    effect: Effect,
    conditions: Conditions.default({}),
    /** ISO 8601; never when null. */
    expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
    /** It is gone after its first use. */
    once: z.boolean().default(false),
    /** Why, in the words of who makes it. */
    reason: z.string().max(500).default(''),
  })
  .superRefine(({ effect, conditions, once, principal }, context) => {
    const counted = once || conditions.rate !== undefined || conditions.budgetUsd !== undefined;
    if (effect !== 'allow' && counted)
      context.addIssue({ code: 'custom', path: ['conditions'], message: 'only an allow is counted: leave out once, rate and budgetUsd' });
    if (effect !== 'allow' && (principal === 'owner' || principal === 'cli'))
      context.addIssue({ code: 'custom', path: ['principal'], message: 'the owner and the command line are not bound by grants' });
  });
export type NewGrant = z.input<typeof NewGrant>;

/** A permission, a refusal or a question, as it is kept. */
export const Grant = z.object({
  id: z.string(),
  principal: z.string(),
  capability: z.string(),
  resource: z.string(),
  effect: Effect,
  conditions: Conditions,
  expiresAt: z.string().nullable(),
  once: z.boolean(),
  reason: z.string(),
  /** `starter` comes with the program; `approval` was a question answered "always"; `install` came with a skill. */
  origin: z.enum(['starter', 'owner', 'approval', 'install']),
  madeBy: z.string(),
  createdAt: z.string(),
  /** The question it answers. */
  approvalId: z.string().nullable(),
  usedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  revokedBy: z.string().nullable(),
});
export type Grant = z.infer<typeof Grant>;

function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
