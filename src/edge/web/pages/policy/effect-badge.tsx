import type { Effect } from '#policy/contract';
import { policyWords } from '../../strings/policy.ts';
import { Badge } from '../../ui/badge.tsx';

const TONES = { allow: 'good', deny: 'bad', ask: 'warn' } as const;

export function EffectBadge({ effect }: { readonly effect: Effect }) {
  return <Badge tone={TONES[effect]}>{policyWords.effect[effect]}</Badge>;
}
