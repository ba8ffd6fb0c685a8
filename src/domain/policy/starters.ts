import type { Rule } from './rules.ts';

/** A skill of the program itself and the capabilities it declares. */
export interface DeclaredSkill {
  readonly name: string;
  readonly grants: readonly string[];
}

/** What changes the owner's machine, or what Castellan may do and will do. */
const SENSITIVE = [
  'memory:rule',
  'shell:run',
  'file:write',
  'schedules:write',
  'workflows:write',
  'skills:write',
  'grants:write',
  'settings:write',
] as const;

/**
 * What is granted before the owner has said anything: that the owner's own workflows work with the skills of the program, on what
 * they name, and that paired senders can do by command what the owner could. Nothing else; a skill that was installed has only what it was granted.
 */
export function starterRules(builtIn: readonly DeclaredSkill[]): readonly Rule[] {
  return [
    ...['net:fetch', 'llm:call', 'memory:read', 'memory:write', 'file:read', 'skill:call', 'settings:read'].map((it) =>
      rule('allow', 'workflow:*', it),
    ),
    ...['net:post', 'channel:send'].flatMap((it) => [rule('allow', 'workflow:*', it, { named: true }), rule('ask', 'workflow:*', it)]),
    ...SENSITIVE.map((it) => rule('ask', 'workflow:*', it)),
    ...['llm:call', 'memory:read'].map((it) => rule('allow', 'assistant:*', it)),
    // an address that a model makes up can carry a conversation out, so it is asked about once a stranger's text is at hand
    rule('allow', 'assistant:*', 'net:fetch', { labels: ['owner'] }),
    ...['net:post', 'channel:send', 'memory:write', 'file:read', 'agent:tool', ...SENSITIVE].map((it) => rule('ask', 'assistant:*', it)),
    // what an agent CLI asks leave for; its assistant decides
    ...['file:read', 'file:write', 'shell:run', 'net:fetch', 'agent:tool'].map((it) => rule('allow', 'backend:*', it)),
    ...[
      'workflows:read',
      'workflows:run',
      'runs:read',
      'runs:control',
      'approvals:read',
      'approvals:answer',
      'skills:read',
      'llm:read',
      'agents:talk',
      'health:read',
    ].map((it) => rule('allow', 'channel:*', it)),
    ...builtIn.flatMap(({ name, grants }) => grants.map((it) => rule('allow', `skill:${name}`, it))),
  ];
}

function rule(effect: Rule['effect'], principal: string, capability: string, conditions: Rule['conditions'] = {}): Rule {
  return {
    id: `starter:${principal}:${capability}:${effect}`,
    principal,
    capability,
    resource: '*',
    effect,
    conditions,
    expiresAt: null,
    once: false,
    isStarter: true,
    createdAt: 0,
  };
}
