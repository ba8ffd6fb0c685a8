import { Check, CircleSlash, Hourglass, LoaderCircle, RotateCcw, SkipForward, X, type LucideIcon } from 'lucide-react';
import { getRun, retryRun, type RunDetail, type StepRecord } from '#runs/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { runWords } from '../../strings/runs.ts';
import { LabelBadges, Origins } from './origins.tsx';
import { Button } from '../../ui/button.tsx';
import { Data } from '../../ui/data.tsx';
import { Folded } from '../../ui/folded.tsx';
import { duration } from '../../ui/format.ts';
import { Money } from '../../ui/money.tsx';
import { Time } from '../../ui/time.tsx';

const ICONS: Readonly<Record<StepRecord['status'], readonly [LucideIcon, string]>> = {
  running: [LoaderCircle, 'text-accent animate-turn'],
  waiting: [Hourglass, 'text-warn'],
  succeeded: [Check, 'text-good'],
  failed: [X, 'text-bad'],
  skipped: [SkipForward, 'text-ink-faint'],
  cancelled: [CircleSlash, 'text-ink-faint'],
};

export function StepIcon({ status }: { readonly status: StepRecord['status'] }) {
  const [Icon, look] = ICONS[status];
  return <Icon role="img" aria-label={runWords.step[status]} className={`size-4.5 shrink-0 ${look}`} />;
}

/** The steps of a run in the order they ran; input and output folded. */
export function Steps({ run }: { readonly run: RunDetail }) {
  if (run.steps.length === 0) return <p className="px-5 pb-3 text-ink-soft">{runWords.noSteps}</p>;
  return (
    <ol>
      {run.steps.map((step) => (
        <li key={`${step.path}#${step.attempt}`} className="border-t border-line px-5 py-3.5">
          <Step step={step} run={run} />
        </li>
      ))}
    </ol>
  );
}

function Step({ step, run }: { readonly step: StepRecord; readonly run: RunDetail }) {
  const retry = useAction(retryRun, { done: runWords.done.retry, refresh: [getRun] });
  const canRetry = step.status === 'failed' && (run.status === 'failed' || run.status === 'cancelled') && !step.path.includes('/');
  const depth = Math.min(3, step.path.split('/').length - 1);
  return (
    <div className={['', 'pl-4', 'pl-8', 'pl-12'][depth]}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <StepIcon status={step.status} />
        <span className="min-w-0 font-medium wrap-anywhere">{step.name}</span>
        {step.skill !== null && <code className="rounded bg-sunken px-1.5 font-mono text-xs text-ink-soft">{step.skill}</code>}
        {step.outcome !== null && <code className="font-mono text-xs text-ink-soft">→ {step.outcome}</code>}
        <LabelBadges labels={step.labels} />
        <span className="ml-auto flex items-center gap-3 text-[0.8125rem] whitespace-nowrap text-ink-soft tabular-nums">
          {step.attempt > 1 && <span>{runWords.attempt(step.attempt)}</span>}
          {step.costUsd > 0 && <Money usd={step.costUsd} />}
          {step.wakeAt !== null && step.endedAt === null && <Time at={step.wakeAt} />}
          {step.endedAt !== null && <span>{duration(Date.parse(step.endedAt) - Date.parse(step.startedAt))}</span>}
        </span>
      </div>
      {step.error && <p className="mt-1.5 pl-7.5 text-bad wrap-anywhere">{step.error.message}</p>}
      <div className="mt-1 pl-7">
        <Origins run={run} step={step} />
        {step.input !== null && <Folded title={runWords.input}>{() => <Data value={step.input} />}</Folded>}
        {step.output !== null && <Folded title={runWords.output}>{() => <Data value={step.output} />}</Folded>}
        {canRetry && (
          <Button size="small" className="mt-1.5" busy={retry.isPending} onClick={() => retry.mutate({ id: run.id, from: step.path })}>
            <RotateCcw aria-hidden className="size-3.5" />
            {runWords.retryFrom}
          </Button>
        )}
      </div>
    </div>
  );
}
