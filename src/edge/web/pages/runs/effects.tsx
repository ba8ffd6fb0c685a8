import type { z } from 'zod';
import { getRun, settleEffect, type EffectRecord, type EffectStatus } from '#runs/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { runWords } from '../../strings/runs.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Data } from '../../ui/data.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<z.infer<typeof EffectStatus>, Tone>> = {
  intended: 'accent',
  done: 'good',
  failed: 'bad',
  unknown: 'warn',
  planned: 'neutral',
};

/** What a run did outside, with its receipts; one whose outcome nobody knows is settled here. */
export function Effects({ effects }: { readonly effects: readonly EffectRecord[] }) {
  return (
    <ul>
      {effects.map((effect) => (
        <li key={effect.key} className="border-t border-line px-5 py-3.5">
          <Effect effect={effect} />
        </li>
      ))}
    </ul>
  );
}

function Effect({ effect }: { readonly effect: EffectRecord }) {
  const settle = useAction(settleEffect, { done: runWords.done.settle, refresh: [getRun] });
  const { runId: id, key } = effect;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={TONES[effect.status]}>{runWords.effect[effect.status]}</Badge>
        <span className="font-medium">{effect.kind}</span>
        <span className="min-w-0 text-ink-soft wrap-anywhere">{effect.target}</span>
        <span className="ml-auto flex gap-3 text-[0.8125rem] text-ink-soft">
          {effect.attempts > 1 && <span>{runWords.attempt(effect.attempts)}</span>}
          <Time at={effect.endedAt ?? effect.createdAt} />
        </span>
      </div>
      {effect.error && <p className="mt-1.5 text-bad wrap-anywhere">{effect.error.message}</p>}
      {effect.status === 'unknown' && (
        <div className="mt-2.5 flex flex-wrap items-center gap-2.5">
          <span className="text-ink-soft">{runWords.effectUnknown}</span>
          <Button size="small" busy={settle.isPending} onClick={() => settle.mutate({ id, key, as: 'done' })}>
            {runWords.effectDone}
          </Button>
          <Button size="small" busy={settle.isPending} onClick={() => settle.mutate({ id, key, as: 'retry' })}>
            {runWords.effectRetry}
          </Button>
        </div>
      )}
      <div className="mt-1">
        <Folded title={runWords.intent}>{() => <Data value={effect.intent} />}</Folded>
        {effect.receipt !== null && <Folded title={runWords.receipt}>{() => <Data value={effect.receipt} />}</Folded>}
      </div>
    </>
  );
}
