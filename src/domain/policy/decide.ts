import { BITS, decision, isOwner, type Decision, type DecisionContext, type PolicyRequest } from './decision.ts';
import { allows } from './grants.ts';
import type { CompiledRule } from './rules.ts';
import { indexed } from './rule-index.ts';
import { HELD, NOTHING, OWN_ACT, UNDECLARED, weigh } from './weigh.ts';

/** The owner's yes to one question: this run, step, capability and resource, and nothing else. */
export interface Answer {
  readonly id: string;
  readonly run: string;
  readonly step: string;
  readonly capability: string;
  readonly resource: string;
  readonly expiresAt: number | null;
}

export interface DecideDeps {
  readonly now: () => number;
  /** The name of this node. */
  readonly node: string;
  /** How often a grant was used within its period, up to `at`. */
  readonly usesOf: (grant: CompiledRule, at: number) => number;
}

export interface Decider {
  /** Never waits, never throws. What the table does not name is denied. */
  decide(request: PolicyRequest): Decision;
  /** Puts another table in the place of the one before. */
  load(rules: readonly CompiledRule[], answers: readonly Answer[]): void;
}

const MOST_KEPT = 20_000;
const NOBODY: readonly string[] = Object.freeze([]);
const NO_CONTEXT: DecisionContext = Object.freeze({});

/** Decisions kept by what was asked, word by word: a repeat walks maps and makes nothing. */
interface Kept {
  next: Map<string, Kept> | null;
  /** By labels and flags, as bits. */
  decisions: (Decision | undefined)[] | null;
}

/** The one place where it is decided who may do what; decision 10 says by what order. */
export function createDecider({ now, node, usesOf }: DecideDeps): Decider {
  let index = indexed([]);
  let answers = new Map<string, readonly Answer[]>();
  let root: Kept = { next: null, decisions: null };
  let size = 0;
  /** When the first of the rules expires: until then what is kept holds. */
  let holdsUntil = Infinity;
  const table = { usesOf, rulesAbout: (principal: string, resource: string) => index.about(principal, resource) };

  function load(rules: readonly CompiledRule[], answered: readonly Answer[]): void {
    const here = rules.filter(({ conditions }) => conditions.node === undefined || conditions.node === node);
    index = indexed(here);
    answers = Map.groupBy(answered, ({ run }) => run);
    forget();
    holdsUntil = nextExpiry(-Infinity);
  }

  function forget(): void {
    root = { next: null, decisions: null };
    size = 0;
  }

  function nextExpiry(after: number): number {
    return Math.min(Infinity, ...index.all.flatMap(({ expiresAt }) => (expiresAt !== null && expiresAt > after ? [expiresAt] : [])));
  }

  /** The next place on the way to where a decision is kept. */
  function step(from: Kept, word: string): Kept {
    const there = from.next?.get(word);
    if (there) return there;
    const fresh: Kept = { next: null, decisions: null };
    (from.next ??= new Map()).set(word, fresh);
    size += 1;
    return fresh;
  }

  function decide(request: PolicyRequest): Decision {
    const { principal, capability, resource = '*', context = NO_CONTEXT } = request;
    const { chain = NOBODY, labels, held, run } = context;
    const at = context.at ?? now();
    let bits = context.named === true ? BITS.named : 0;
    if (labels) for (let i = 0; i < labels.length; i += 1) bits |= BITS[labels[i]!];
    if (held && chain.length === 0 && isOwner(principal)) return allows(held, capability) ? OWN_ACT : NOTHING;
    if (context.declared && !allows(context.declared, capability)) return UNDECLARED;
    const found = lookUp(principal, capability, resource, chain, context, bits, at);
    // what a credential carries is not kept: it may be another one tomorrow
    if (found === NOTHING && held && chain.length === 0) return allows(held, capability) ? HELD : NOTHING;
    if (found.effect !== 'ask' || run === undefined) return found;
    const yes = answers.get(run)?.find((each) => fits(each, context.step, capability, resource, at));
    return yes ? decision('allow', yes.id, 'The owner said yes to this one question.') : found;
  }

  function lookUp(
    principal: string,
    capability: string,
    resource: string,
    chain: readonly string[],
    context: DecisionContext,
    bits: number,
    at: number,
  ): Decision {
    if (context.held && chain.length > 0) return weigh({ principal, capability, resource, chain, context, bits, at }, table).decision;
    if (at >= holdsUntil || size > MOST_KEPT) {
      forget();
      holdsUntil = nextExpiry(at);
    }
    let place = step(step(step(root, capability), principal), resource);
    for (let i = 0; i < chain.length; i += 1) place = step(place, chain[i]!);
    const known = place.decisions?.[bits];
    if (known) return known;
    const weighed = weigh({ principal, capability, resource, chain, context, bits, at }, table);
    if (!weighed.isVolatile) (place.decisions ??= [])[bits] = weighed.decision;
    return weighed.decision;
  }

  return { decide, load };
}

function fits(each: Answer, step: string | undefined, capability: string, resource: string, at: number): boolean {
  return (
    each.step === step && each.capability === capability && each.resource === resource && (each.expiresAt === null || at < each.expiresAt)
  );
}
