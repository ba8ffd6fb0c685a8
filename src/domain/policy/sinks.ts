import type { ContentLabel } from './grant-shapes.ts';

/**
 * What a capability may be handed, by the labels of the content at hand. Content with a label that a sink does not take makes
 * a question of what a grant allowed; `secret` is taken only by what stays inside, and makes a refusal everywhere else. `named` is for resources that the owner
 * wrote into the workflow itself.
 */
export interface Sink {
  /** Completes "The run has read … and wants to …". */
  readonly does: string;
  readonly takes: readonly ContentLabel[];
  readonly named?: readonly ContentLabel[];
}

const ANYTHING: readonly ContentLabel[] = ['owner', 'untrusted', 'private'];
const INSIDE: Omit<Sink, 'does'> = { takes: [...ANYTHING, 'secret'] };
const OWNERS_WORD: Omit<Sink, 'does'> = { takes: ['owner', 'private'] };
/** What leaves for an address: the workflow's own takes all, any other takes only what the owner said. */
const SENDING: Omit<Sink, 'does'> = { takes: ['owner'], named: ANYTHING };

export const sinks: Readonly<Record<string, Sink>> = {
  // an address can carry out what was read, so one that is not the workflow's own is not read with private text at hand
  'net:fetch': { does: 'read from an address', takes: ['owner', 'untrusted'], named: ANYTHING },
  'net:post': { does: 'post to an address', ...SENDING },
  'channel:send': { does: 'send to an address', ...SENDING },
  'llm:call': { does: 'ask a model', takes: ANYTHING },
  'memory:read': { does: 'search the memory', ...INSIDE },
  'memory:write': { does: 'remember it as knowledge', takes: ANYTHING },
  'file:read': { does: 'read a file', ...INSIDE },
  'skill:call': { does: 'call another skill', ...INSIDE },
  'settings:read': { does: 'read a setting', ...INSIDE },
  'memory:rule': { does: 'write a preference or rule', ...OWNERS_WORD },
  'shell:run': { does: 'run a command', ...OWNERS_WORD },
  'file:write': { does: 'write a file', ...OWNERS_WORD },
  'schedules:write': { does: 'write a schedule', ...OWNERS_WORD },
  'workflows:write': { does: 'write a workflow', ...OWNERS_WORD },
  'skills:write': { does: 'write or install a skill', ...OWNERS_WORD },
  'grants:write': { does: 'write a grant', ...OWNERS_WORD },
  'settings:write': { does: 'change a setting', ...OWNERS_WORD },
};

/** What is not in the table is taken for sensitive. */
const UNKNOWN: Sink = { does: 'do something', ...OWNERS_WORD };

export function sinkOf(capability: string): Sink {
  return Object.hasOwn(sinks, capability) ? sinks[capability]! : UNKNOWN;
}

/** Kinds of memory that steer what is done later; all others are knowledge. */
const STEERING = /^(?:preference|rule|instruction|directive|procedure|profile|persona)s?(?:_|$)/;

/** The capability that adding a memory of this kind needs. */
export function memoryCapability(kind: string): 'memory:rule' | 'memory:write' {
  return STEERING.test(kind) ? 'memory:rule' : 'memory:write';
}
