import { Link } from '@tanstack/react-router';
import { Circle } from 'lucide-react';
import { getRun, type RunSummary, type StepRecord } from '#runs/contract';
import { getWorkflow } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { StepIcon } from '../runs/steps.tsx';
import { StatusBadge } from '../runs/status.tsx';

/** The steps of a briefing under way: done, at work, to come. */
export function BriefingProgress({ run }: { readonly run: RunSummary }) {
  const detail = useEndpoint(getRun, { id: run.id });
  const workflow = useEndpoint(getWorkflow, { id: run.workflowId ?? '' }, { enabled: run.workflowId !== null });
  const planned = workflow.data?.definition.steps.map(({ id, name }) => ({ id, name: name ?? id })) ?? [];
  const records = new Map((detail.data?.steps ?? []).filter(({ path }) => !path.includes('/')).map((step) => [step.path, step]));
  const steps: readonly { id: string; name: string; record?: StepRecord }[] =
    planned.length > 0
      ? planned.map((it) => ({ ...it, record: records.get(it.id) as StepRecord }))
      : [...records.values()].map((record) => ({ id: record.path, name: record.name, record }));
  const over = steps.filter(({ record }) => record && record.status !== 'running' && record.status !== 'waiting').length;

  return (
    <div role="status" aria-live="polite">
      <p className="text-ink-soft">
        {run.status === 'waiting' ? homeWords.waitingForYou : run.status === 'paused' ? homeWords.paused : homeWords.makingHint}
      </p>
      <progress value={over} max={Math.max(1, steps.length)} aria-label={homeWords.making} className="progress mt-4 h-1.5 w-full" />
      <ol className="mt-4 space-y-2.5">
        {steps.map(({ id, name, record }) => (
          <li key={id} className={`flex items-center gap-3 ${record ? '' : 'text-ink-faint'}`}>
            {record ? <StepIcon status={record.status} /> : <Circle aria-hidden className="size-4.5 shrink-0 text-line-strong" />}
            <span className="wrap-anywhere">{name}</span>
          </li>
        ))}
      </ol>
      <p className="mt-5 flex items-center gap-3">
        <StatusBadge status={run.status} />
        <Link to="/runs/$id" params={{ id: run.id }} className="text-accent underline-offset-2 hover:underline">
          {homeWords.follow}
        </Link>
      </p>
    </div>
  );
}
