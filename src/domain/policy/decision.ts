import type { ContentLabel, Effect } from './grant-shapes.ts';

/** May this one do that, here and now? */
export interface PolicyRequest {
  /** Who asks: `skill:web_fetch`, `workflow:<id>`, `token:<id>`, `channel:<id>:<sender>`. */
  readonly principal: string;
  /** `net:fetch`. */
  readonly capability: string;
  /** In canonical form (`patterns.ts`); `*` where there is nothing to name. */
  readonly resource?: string;
  readonly context?: DecisionContext;
}

export interface DecisionContext {
  /** On whose behalf, outermost first, without the principal itself: `['owner', 'workflow:<id>']`. Each must be allowed. */
  readonly chain?: readonly string[];
  /** Of all content seen so far. */
  readonly labels?: readonly ContentLabel[];
  /** The owner wrote this resource into the workflow or step; no template and no content made it. */
  readonly named?: boolean;
  /** Capabilities that the outermost principal proved to hold: a token's own grants. */
  readonly held?: ReadonlySet<string>;
  /** What the principal said it would use: all else is denied, whatever was granted. */
  readonly declared?: ReadonlySet<string>;
  /** The run and step at hand, for answers that hold for them alone. */
  readonly run?: string;
  readonly step?: string;
  /** What the run has spent so far. */
  readonly spentUsd?: number;
  /** Milliseconds since the epoch; now when left out. */
  readonly at?: number;
}

export interface Decision {
  readonly effect: Effect;
  /** Id of the grant that decided, `starter:…`, `sink:…`, `held`, or null when nothing matched. */
  readonly rule: string | null;
  /** One sentence for the owner. */
  readonly reason: string;
  /** Who the rule is about; of a question, whose grant would settle it. */
  readonly link: string | null;
  /** Labels at hand that the sink does not take. */
  readonly beyond: readonly ContentLabel[];
  /** Grants that are counted or used up when the act is done. */
  readonly uses: readonly string[];
}

export function decision(effect: Effect, rule: string | null, reason: string, more: Partial<Decision> = {}): Decision {
  return Object.freeze({ effect, rule, reason, link: null, beyond: [], uses: [], ...more });
}

/** Labels and flags of a request as bits, so that a set of them is one number. */
export const BITS = { owner: 1, untrusted: 2, private: 4, secret: 8, named: 16 } as const;

/** These two act in person: whoever acts as the owner could change every grant, so none binds them. */
export const isOwner = (principal: string): boolean => principal === 'owner' || principal === 'cli';
