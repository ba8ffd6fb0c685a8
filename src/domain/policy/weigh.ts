import { BITS, decision, isOwner, type Decision, type DecisionContext } from './decision.ts';
import type { ContentLabel } from './grant-shapes.ts';
import { allows } from './grants.ts';
import type { CompiledRule } from './rules.ts';
import { sinkOf } from './sinks.ts';

/** One case as it is weighed. */
export interface Case {
  readonly principal: string;
  readonly capability: string;
  readonly resource: string;
  readonly chain: readonly string[];
  readonly context: DecisionContext;
  readonly bits: number;
  readonly at: number;
}

export interface Table {
  /** All rules that may cover this principal and resource, in groups. */
  rulesAbout(principal: string, resource: string): readonly (readonly CompiledRule[])[];
  /** How often a grant was used within its period, up to `at`. */
  usesOf(grant: CompiledRule, at: number): number;
}

/** What the rules say of one principal of the chain. */
interface Verdict {
  readonly link: string;
  readonly denied: CompiledRule | null;
  /** The closest that allows or asks. */
  readonly rule: CompiledRule | null;
  /** An allow of the owner whose conditions are not met. */
  readonly unmet: CompiledRule | null;
}

export const HELD = decision('allow', 'held', 'The credential itself carries this grant.');
export const NOTHING = decision('deny', null, 'Nothing grants this.');
export const OWN_ACT = decision('allow', 'starter:owner', 'The owner may do everything.');
export const UNDECLARED = decision('deny', 'declared', 'It, or who called it, did not declare that it uses this.');
const SECRET = decision('deny', 'sink:secret', 'What is secret never leaves.', { beyond: ['secret'] });

/** Decides a case from the table: refusals first, then whether each of the chain is allowed, then what the sink takes. */
export function weigh(it: Case, table: Table): { readonly decision: Decision; readonly isVolatile: boolean } {
  let isVolatile = false;
  const links = [...it.chain, it.principal].filter((link) => !isOwner(link));
  if (links.length === 0) return { decision: OWN_ACT, isVolatile };
  const verdicts = links.map((link) =>
    judge(link, it, table, () => {
      isVolatile = true;
    }),
  );
  return { decision: combine(verdicts, it), isVolatile };
}

function judge(link: string, it: Case, table: Table, onVolatile: () => void): Verdict {
  let rule: CompiledRule | null = null;
  let unmet: CompiledRule | null = null;
  let denied: CompiledRule | null = null;
  for (const group of table.rulesAbout(link, it.resource)) {
    for (const each of group) {
      if (!each.covers(link, it.capability, it.resource) || (each.expiresAt !== null && it.at >= each.expiresAt)) continue;
      if (each.conditions.named && (it.bits & BITS.named) === 0) continue;
      if (each.isVolatile) onVolatile();
      if (!holds(each, it, table)) {
        if (each.effect === 'allow' && !each.isStarter && !each.once) unmet = each;
      } else if (each.effect === 'deny') denied ??= each;
      else if (rule === null || isCloser(each, rule)) rule = each;
    }
  }
  // a limit that the owner put on something also limits what the program would have allowed by itself
  return { link, denied, rule: rule?.isStarter && unmet !== null ? null : rule, unmet };
}

function holds(rule: CompiledRule, { chain, context, at }: Case, table: Table): boolean {
  const { maxDepth, budgetUsd, rate } = rule.conditions;
  if (maxDepth !== undefined && chain.length > maxDepth) return false;
  if (!rule.isVolatile) return true;
  if (budgetUsd !== undefined && !(context.spentUsd !== undefined && context.spentUsd < budgetUsd)) return false;
  if (rate && table.usesOf(rule, at) >= rate.times) return false;
  return !(rule.once && table.usesOf(rule, at) > 0) && rule.isWithinHours(at);
}

/** The closer rule; of two equally close, the later word; of two of the same moment, the question. */
function isCloser(a: CompiledRule, b: CompiledRule): boolean {
  if (a.closeness !== b.closeness) return a.closeness > b.closeness;
  return a.createdAt === b.createdAt ? a.effect === 'ask' : a.createdAt > b.createdAt;
}

function combine(verdicts: readonly Verdict[], { capability, resource, bits, context, chain, principal }: Case): Decision {
  const what = `${capability} on ${resource}`;
  for (const { link, denied } of verdicts) if (denied) return decision('deny', denied.id, `A grant refuses ${link} ${what}.`, { link });
  if ((bits & BITS.secret) !== 0 && !sinkOf(capability).takes.includes('secret')) return SECRET;
  let isHeld = false;
  let asking: Verdict | null = null;
  for (const verdict of verdicts) {
    const { link, rule, unmet } = verdict;
    if (rule?.effect === 'ask') asking ??= verdict;
    if (rule) continue;
    if (unmet) return decision('deny', unmet.id, `The grant for ${link} does not hold now: ${conditionsOf(unmet)}.`, { link });
    const isOutermost = link === (chain[0] ?? principal);
    if (isOutermost && context.held && chain.length > 0 && allows(context.held, capability)) isHeld = true;
    else return chain.length === 0 ? NOTHING : decision('deny', null, `Nothing grants ${link} ${what}.`, { link });
  }
  const beyond = labelsBeyond(verdicts, capability, bits);
  if (beyond.length > 0) {
    const reason = `Text that is ${beyond.join(' and ')} is at hand, and this would ${sinkOf(capability).does}.`;
    return decision('ask', `sink:${capability}`, reason, { link: verdicts[0]!.link, beyond });
  }
  if (asking) return decision('ask', asking.rule!.id, `${asking.link} has to ask before ${what}.`, { link: asking.link });
  const rules = verdicts.flatMap(({ rule }) => rule ?? []);
  const closest = rules.toSorted((a, b) => b.closeness - a.closeness)[0];
  if (!closest) return isHeld ? HELD : NOTHING;
  return decision('allow', closest.id, `Granted to ${closest.principal}: ${closest.capability} on ${closest.resource}.`, {
    link: closest.principal,
    uses: rules.filter(({ once, conditions }) => once || conditions.rate !== undefined).map(({ id }) => id),
  });
}

/** Labels at hand that are not taken: by what the grants say, all of them together, else by what the sink says. */
function labelsBeyond(verdicts: readonly Verdict[], capability: string, bits: number): ContentLabel[] {
  const sink = sinkOf(capability);
  const said = verdicts.flatMap(({ rule }) => (rule?.conditions.labels ? [rule.conditions.labels as readonly ContentLabel[]] : []));
  const taken = said.length > 0 ? said : [(bits & BITS.named) !== 0 && sink.named ? sink.named : sink.takes];
  return (['untrusted', 'private'] as const).filter(
    (label) => (bits & BITS[label]) !== 0 && !taken.every((labels) => labels.includes(label)),
  );
}

function conditionsOf({ conditions: { hours, rate, maxDepth, budgetUsd } }: CompiledRule): string {
  return [
    hours && `it holds from ${hours.from} to ${hours.to} (${hours.timeZone})`,
    rate && `at most ${rate.times} times in ${rate.perMs / 1_000} s`,
    maxDepth !== undefined && `at most ${maxDepth} before it in the chain`,
    budgetUsd !== undefined && `while less than $${budgetUsd} is spent`,
  ]
    .filter((each) => typeof each === 'string')
    .join(', ');
}
