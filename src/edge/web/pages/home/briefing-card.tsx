import { Link } from '@tanstack/react-router';
import { CalendarClock, Newspaper, RefreshCw } from 'lucide-react';
import { getRun, isOver, listRuns, type RunSummary } from '#runs/contract';
import { listWorkflows, saveWorkflow, startRun, type WorkflowSummary } from '#workflows/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Data } from '../../ui/data.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { RunActions } from '../runs/run-actions.tsx';
import { textOf } from '../runs/text-of.ts';
import { BriefingProgress } from './briefing-progress.tsx';
import { dailyTime } from './choose-runs.ts';
import { useBriefing } from './use-briefing.ts';

const LINK = 'text-accent underline-offset-2 hover:underline';

/** The briefing, or what is to be said instead of it. */
export function BriefingCard() {
  const { briefing, error, retry } = useBriefing();
  if (error && briefing === undefined)
    return (
      <Card title={homeWords.briefing}>
        <ErrorBox error={error} onRetry={retry} />
      </Card>
    );
  if (briefing === undefined)
    return (
      <Card title={homeWords.briefing}>
        <Skeleton lines={8} />
      </Card>
    );
  if (briefing === null)
    return (
      <Card title={homeWords.briefing}>
        <Empty icon={Newspaper} title={homeWords.none}>
          {homeWords.noneText}
        </Empty>
      </Card>
    );
  const { workflow, latest, newest } = briefing;
  const title = newest && !isOver(newest.status) && !latest ? homeWords.makingFirst : homeWords.briefing;
  return (
    <Card title={title} aside={latest && <Made run={latest} />}>
      {newest && <Newest run={newest} isOnly={!latest} />}
      {latest && <Text id={latest.id} />}
      {!latest && !newest && (
        <Empty icon={Newspaper} title={homeWords.notYet}>
          <MakeOne workflow={workflow} />
        </Empty>
      )}
      {(latest ?? newest) && <Foot workflow={workflow} isBusy={newest !== null && !isOver(newest.status)} />}
    </Card>
  );
}

function Made({ run }: { readonly run: RunSummary }) {
  return (
    <>
      {homeWords.briefingMade} <Time at={run.endedAt ?? run.createdAt} /> ·{' '}
      <Link to="/runs/$id" params={{ id: run.id }} className={LINK}>
        {homeWords.openRun}
      </Link>
    </>
  );
}

/** Of the newest run, when it is not the one shown. */
function Newest({ run, isOnly }: { readonly run: RunSummary; readonly isOnly: boolean }) {
  const link = (
    <Link to="/runs/$id" params={{ id: run.id }} className={LINK}>
      {isOver(run.status) ? homeWords.whatHappened : homeWords.follow}
    </Link>
  );
  if (isOver(run.status))
    return (
      <div className="mb-5">
        <ErrorBox error={isOnly ? homeWords.failed : homeWords.failedNewest}>
          {run.error && <p className="mt-1 text-ink-soft wrap-anywhere">{run.error.message}</p>}
          <p className="mt-1.5">{link}</p>
          {isOnly && (
            <div className="mt-3">
              <RunActions run={run} />
            </div>
          )}
        </ErrorBox>
      </div>
    );
  if (!isOnly)
    return (
      <p role="status" className="mb-5 flex flex-wrap items-center gap-x-2 rounded-control bg-accent-soft px-4 py-2.5 text-accent">
        {homeWords.makingNew} {link}
      </p>
    );
  return <BriefingProgress run={run} />;
}

function Text({ id }: { readonly id: string }) {
  const run = useEndpoint(getRun, { id });
  if (run.error) return <ErrorBox error={run.error} onRetry={() => void run.refetch()} />;
  if (!run.data) return <Skeleton lines={8} />;
  const text = textOf(run.data.output);
  if (text !== null) return <Markdown text={text} />;
  return run.data.output === null ? <p className="text-ink-soft">{homeWords.emptyBriefing}</p> : <Data value={run.data.output} />;
}

function Foot({ workflow, isBusy }: { readonly workflow: WorkflowSummary; readonly isBusy: boolean }) {
  const time = dailyTime(workflow) ?? '07:00';
  const refresh = [listWorkflows];
  const on = useAction(saveWorkflow, { done: homeWords.switchedOnToast(time), refresh });
  const off = useAction(saveWorkflow, { done: homeWords.switchedOffToast, refresh });
  return (
    <footer className="-mx-5 mt-6 -mb-5 flex flex-wrap items-center justify-between gap-x-5 gap-y-3 rounded-b-card border-t border-line bg-canvas px-5 py-4">
      {workflow.enabled ? (
        <p className="flex items-center gap-2 text-ink-soft">
          <CalendarClock aria-hidden className="size-4.5 shrink-0 text-good" />
          <span>
            {homeWords.switchedOn(time)}{' '}
            <button type="button" className={LINK} disabled={off.isPending} onClick={() => off.mutate({ id: workflow.id, enabled: false })}>
              {homeWords.switchOff}
            </button>
          </span>
        </p>
      ) : (
        <>
          <p className="min-w-56 flex-1 text-ink-soft">{homeWords.switchOnText(time)}</p>
          <Button look="primary" busy={on.isPending} onClick={() => on.mutate({ id: workflow.id, enabled: true })}>
            <CalendarClock aria-hidden className="size-4" />
            {homeWords.switchOn(time)}
          </Button>
        </>
      )}
      {workflow.enabled && !isBusy && <MakeOne workflow={workflow} again />}
    </footer>
  );
}

function MakeOne({ workflow, again = false }: { readonly workflow: WorkflowSummary; readonly again?: boolean }) {
  const start = useAction(startRun, { refresh: [listRuns] });
  return (
    <Button
      className={again ? '' : 'mt-3'}
      look={again ? 'plain' : 'primary'}
      busy={start.isPending}
      onClick={() => start.mutate({ id: workflow.id })}
    >
      <RefreshCw aria-hidden className="size-4" />
      {again ? homeWords.makeAnother : homeWords.makeNow}
    </Button>
  );
}
