import { z } from 'zod';
import { endpoint, listOf, Page } from '#core/endpoint';
import type { Json } from '#core/json';

export * from './grant-shapes.ts';
export * from './grants-api.ts';

/** A capability (`runs:read`), all of an area (`runs:*`), or everything (`*`). */
export const GrantPattern = z
  .string()
  .regex(/^(?:\*|[a-z][a-z0-9_-]*:(?:\*|[a-z][a-z0-9_-]*))$/, 'a grant is "area:verb", "area:*" or "*"');

/**
 * pending → answered (by the first eligible answer) | expired (its time is over) | withdrawn (nobody needs it any more)
 */
export const ApprovalStatus = z.enum(['pending', 'answered', 'expired', 'withdrawn']);
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

export const ApprovalOption = z.object({
  /** What is stored and what the asker branches on: `yes`, `no`, `retry`. */
  id: z.string().regex(/^[a-z0-9_-]{1,40}$/),
  label: z.string().min(1).max(60),
  style: z.enum(['primary', 'neutral', 'danger']),
});
export type ApprovalOption = z.infer<typeof ApprovalOption>;

/** A confirmation, and an answer that changes what is allowed from now on, are sensitive acts; to refuse needs no proof: whoever took the chat may do that. */
export function needsFactor({ kind }: Pick<Approval, 'kind'>, { id, style }: ApprovalOption): boolean {
  const isRefusal = style === 'danger' || id === 'no' || id === 'refused';
  return (kind === 'second_factor' && !isRefusal) || (kind === 'policy' && id === 'always');
}

/** The usual two options. */
export const yesOrNo: readonly ApprovalOption[] = [
  { id: 'yes', label: 'Yes', style: 'primary' },
  { id: 'no', label: 'No', style: 'danger' },
];

const Value = z.json() as z.ZodType<Json>;

/** A durable question to the owner: one id, as many renderings as there are channels, first answer wins. */
export const Approval = z.object({
  id: z.string(),
  /** Four characters to answer by in a text: "yes K7QF". Unique among what is pending. */
  code: z.string(),
  runId: z.string().nullable(),
  step: z.string().nullable(),
  /** Why it is asked: `approval_step`, `budget`, `effect_unknown`, `second_factor`, … */
  kind: z.string(),
  title: z.string(),
  question: z.string(),
  /** What the owner needs to see to decide; no secret in it. */
  details: Value,
  options: z.array(ApprovalOption),
  status: ApprovalStatus,
  /** The id of the option chosen. */
  answer: z.string().nullable(),
  note: z.string().nullable(),
  /** `owner`, `cli`, `token:<id>`, `channel:<id>`. */
  answeredBy: z.string().nullable(),
  /** `web`, `cli`, `api`, `telegram`, … */
  via: z.string().nullable(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  /** When it was answered, expired or withdrawn. */
  endedAt: z.string().nullable(),
});
export type Approval = z.infer<typeof Approval>;

export const listApprovals = endpoint({
  method: 'GET',
  path: '/api/approvals',
  grant: 'approvals:read',
  summary: 'Questions to the owner, newest first.',
  input: Page.extend({ status: ApprovalStatus.optional(), run: z.string().optional() }),
  output: listOf(Approval),
});
export const getApproval = endpoint({
  method: 'GET',
  path: '/api/approvals/{id}',
  grant: 'approvals:read',
  summary: 'One question.',
  input: z.strictObject({ id: z.string() }),
  output: Approval,
});
export const answerApproval = endpoint({
  method: 'POST',
  path: '/api/approvals/{id}/answer',
  grant: 'approvals:answer',
  summary: 'Answers a question; the first answer wins. A question of the kind second_factor also needs a second factor.',
  input: z.strictObject({
    id: z.string(),
    option: z.string(),
    note: z.string().max(2_000).optional(),
  }),
  output: Approval,
});
export const listGrants = endpoint({
  method: 'GET',
  path: '/api/grants/catalogue',
  grant: 'grants:read',
  summary: 'Every capability there is, with what it opens.',
  input: z.strictObject({}),
  output: listOf(z.object({ grant: z.string(), opens: z.array(z.string()) })),
});

declare module '#core/bus' {
  interface Events {
    'approval.asked': { readonly approval: Approval };
    'approval.answered': { readonly approval: Approval };
    'approval.expired': { readonly approval: Approval };
    'approval.withdrawn': { readonly approval: Approval };
  }
}
