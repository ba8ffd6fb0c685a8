import type { Grant } from '#policy/contract';
import { t } from '../../strings.ts';

const DAY_MS = 86_400_000;
const PERIODS: readonly (readonly [name: string, ms: number])[] = [
  [t.policy.period.day, DAY_MS],
  [t.policy.period.hour, 3_600_000],
  [t.policy.period.minute, 60_000],
  [t.policy.period.second, 1_000],
];

/** When a grant holds, in a line; empty when always. */
export function conditionWords({ conditions, expiresAt, once }: Pick<Grant, 'conditions' | 'expiresAt' | 'once'>): string {
  const { hours, rate, maxDepth, budgetUsd, labels, node, named } = conditions;
  return [
    named && t.policy.named,
    once && t.policy.once,
    hours && t.policy.hours(hours.from, hours.to, hours.days ?? [], hours.timeZone),
    rate && t.policy.rate(rate.times, periodWords(rate.perMs)),
    maxDepth !== undefined && t.policy.depth(maxDepth),
    budgetUsd !== undefined && t.policy.budget(budgetUsd),
    labels && t.policy.takes(labels),
    node && t.policy.node(node),
    expiresAt !== null && t.policy.until(expiresAt.slice(0, 16).replace('T', ' ')),
  ]
    .filter((each) => typeof each === 'string')
    .join(' · ');
}

function periodWords(ms: number): string {
  const [name, size] = PERIODS.find(([, each]) => ms % each === 0) ?? PERIODS.at(-1)!;
  return ms === size ? name : `${ms / size} × ${name}`;
}
