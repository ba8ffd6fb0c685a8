import type { Grant } from '#policy/contract';
import { policyWords } from '../../strings/policy.ts';

const DAY_MS = 86_400_000;
const PERIODS: readonly (readonly [name: string, ms: number])[] = [
  [policyWords.period.day, DAY_MS],
  [policyWords.period.hour, 3_600_000],
  [policyWords.period.minute, 60_000],
  [policyWords.period.second, 1_000],
];

/** When a grant holds, in a line; empty when always. */
export function conditionWords({ conditions, expiresAt, once }: Pick<Grant, 'conditions' | 'expiresAt' | 'once'>): string {
  const { hours, rate, maxDepth, budgetUsd, labels, node, named } = conditions;
  return [
    named && policyWords.named,
    once && policyWords.once,
    hours && policyWords.hours(hours.from, hours.to, hours.days ?? [], hours.timeZone),
    rate && policyWords.rate(rate.times, periodWords(rate.perMs)),
    maxDepth !== undefined && policyWords.depth(maxDepth),
    budgetUsd !== undefined && policyWords.budget(budgetUsd),
    labels && policyWords.takes(labels),
    node && policyWords.node(node),
    expiresAt !== null && policyWords.until(expiresAt.slice(0, 16).replace('T', ' ')),
  ]
    .filter((each) => typeof each === 'string')
    .join(' · ');
}

function periodWords(ms: number): string {
  const [name, size] = PERIODS.find(([, each]) => ms % each === 0) ?? PERIODS.at(-1)!;
  return ms === size ? name : `${ms / size} × ${name}`;
}
