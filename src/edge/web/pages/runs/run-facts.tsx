import type { ReactNode } from 'react';
import type { RunDetail } from '#runs/contract';
import { getWorkflow } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { runWords } from '../../strings/runs.ts';
import { duration } from '../../ui/format.ts';
import { Money } from '../../ui/money.tsx';
import { Time, useNow } from '../../ui/time.tsx';
import { LabelBadges } from './origins.tsx';
import { tookMs, triggerWords } from './status.tsx';

/** What one wants to know of a run at a glance. */
export function RunFacts({ run }: { readonly run: RunDetail }) {
  const now = useNow(1_000);
  const took = tookMs(run, now);
  const { facts } = runWords;
  const labels = run.labels.filter((label) => label !== 'owner');
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-card border border-line bg-surface p-5 shadow-low sm:grid-cols-3 lg:grid-cols-5">
      <Fact name={facts.by}>{triggerWords(run)}</Fact>
      <Fact name={facts.started}>
        <Time at={run.startedAt ?? run.createdAt} />
      </Fact>
      {took !== null && (
        <Fact name={facts.took}>
          <span className="tabular-nums">{duration(took)}</span>
        </Fact>
      )}
      <Fact name={facts.cost}>
        <Money usd={run.costUsd} />
      </Fact>
      {run.wakeAt !== null && (
        <Fact name={facts.wakes}>
          <Time at={run.wakeAt} />
        </Fact>
      )}
      {run.outcome !== null && (
        <Fact name={facts.outcome}>
          <code className="font-mono text-[0.8125rem]">{run.outcome}</code>
        </Fact>
      )}
      {run.workflowId !== null && <WorkflowFact id={run.workflowId} version={run.workflowVersion ?? 1} />}
      {labels.length > 0 && (
        <Fact name={facts.read}>
          <span className="flex flex-wrap gap-1.5">
            <LabelBadges labels={labels} />
          </span>
        </Fact>
      )}
    </dl>
  );
}

function WorkflowFact({ id, version }: { readonly id: string; readonly version: number }) {
  const workflow = useEndpoint(getWorkflow, { id });
  return workflow.data ? <Fact name={runWords.facts.workflow}>{runWords.version(workflow.data.name, version)}</Fact> : null;
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-[0.8125rem] text-ink-soft">{name}</dt>
      <dd className="mt-0.5 font-medium wrap-anywhere">{children}</dd>
    </div>
  );
}
