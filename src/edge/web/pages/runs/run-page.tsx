import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft, MessageCircle } from 'lucide-react';
import { explainRun, getRun, isOver, type JournalEntry, type RunDetail } from '#runs/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { runWords, runsWords } from '../../strings/runs.ts';
import { Badge } from '../../ui/badge.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Data } from '../../ui/data.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { absoluteTime } from '../../ui/format.ts';
import { PendingApprovals } from '../home/approvals.tsx';
import { Effects } from './effects.tsx';
import { RunActions } from './run-actions.tsx';
import { RunFacts } from './run-facts.tsx';
import { StatusBadge } from './status.tsx';
import { Steps } from './steps.tsx';
import { textOf } from './text-of.ts';

export function RunPage() {
  const { id } = useParams({ from: '/runs/$id' });
  const run = useEndpoint(getRun, { id });
  return (
    <>
      <Link to="/runs" className="mb-3 inline-flex items-center gap-1.5 rounded text-[0.8125rem] text-ink-soft hover:text-ink">
        <ArrowLeft aria-hidden className="size-4" />
        {runWords.back}
      </Link>
      {run.error && !run.data && <ErrorBox error={run.error} onRetry={() => void run.refetch()} />}
      {run.isPending && <Skeleton lines={8} />}
      {run.data && <Run run={run.data} />}
    </>
  );
}

function Run({ run }: { readonly run: RunDetail }) {
  const text = textOf(run.output);
  return (
    <>
      <PageHead
        title={run.title}
        text={
          <span className="mt-1.5 flex flex-wrap items-center gap-2">
            <StatusBadge status={run.status} />
            {run.dryRun && <Badge>{runsWords.dryRun}</Badge>}
            {runsWords.kind[run.kind]}
          </span>
        }
      >
        <RunActions run={run} />
      </PageHead>
      <div className="space-y-5">
        {run.error && <ErrorBox error={run.error.message} />}
        <PendingApprovals runId={run.id} />
        <RunFacts run={run} />
        {run.kind === 'turn' && <Talk run={run} />}
        {run.output !== null && run.kind !== 'turn' && (
          <Card title={runWords.result}>{text === null ? <Data value={run.output} /> : <Markdown text={text} />}</Card>
        )}
        {(run.steps.length > 0 || !isOver(run.status)) && (
          <Card title={runWords.steps} flush>
            <Steps run={run} />
          </Card>
        )}
        {run.effects.length > 0 && (
          <Card title={runWords.effects} aside={runWords.effectsText} flush>
            <Effects effects={run.effects} />
          </Card>
        )}
        <Card>
          <Folded title={runWords.explain}>{() => <Explanation id={run.id} />}</Folded>
          {run.input !== null && <Folded title={runWords.runInput}>{() => <Data value={run.input} />}</Folded>}
          <Folded title={`${runWords.journal} (${runWords.entries(run.journal.length)})`}>{() => <Journal entries={run.journal} />}</Folded>
        </Card>
      </div>
    </>
  );
}

/** The way to the conversation that a turn belongs to. */
function Talk({ run: { input } }: { readonly run: RunDetail }) {
  const id = input !== null && typeof input === 'object' && 'conversationId' in input ? input['conversationId'] : null;
  if (typeof id !== 'string') return null;
  return (
    <Link to="/chat/$id" params={{ id }} className={buttonClass()}>
      <MessageCircle aria-hidden className="size-4" />
      {runWords.openConversation}
    </Link>
  );
}

function Explanation({ id }: { readonly id: string }) {
  const explanation = useEndpoint(explainRun, { id });
  if (explanation.error) return <ErrorBox error={explanation.error} />;
  if (!explanation.data) return <Skeleton lines={4} />;
  return (
    <ol className="space-y-2 border-l-2 border-line pl-4">
      {explanation.data.lines.map(({ at, text }, index) => (
        <li key={index} className="wrap-anywhere">
          {at !== null && <Clock at={at} />}
          {text}
        </li>
      ))}
    </ol>
  );
}

function Journal({ entries }: { readonly entries: readonly JournalEntry[] }) {
  return (
    <ol className="space-y-3">
      {entries.map(({ seq, at, type, step, data }) => (
        <li key={seq}>
          <p className="text-[0.8125rem] wrap-anywhere">
            <Clock at={at} />
            <strong className="font-semibold">{type}</strong>
            {step !== null && <span className="text-ink-soft"> · {step}</span>}
          </p>
          {data !== null && JSON.stringify(data) !== '{}' && <Data value={data} />}
        </li>
      ))}
    </ol>
  );
}

function Clock({ at }: { readonly at: string }) {
  const moment = Date.parse(at);
  return (
    <time dateTime={at} title={absoluteTime(moment)} className="mr-2.5 text-[0.8125rem] text-ink-faint tabular-nums">
      {new Date(moment).toLocaleTimeString('en-GB')}
    </time>
  );
}
