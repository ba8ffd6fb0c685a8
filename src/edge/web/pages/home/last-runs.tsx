import { Link } from '@tanstack/react-router';
import { listRuns } from '#runs/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { runsWords } from '../../strings/runs.ts';
import { Card } from '../../ui/card.tsx';
import { Dot } from '../../ui/dot.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { STATUS_TONES } from '../runs/status.tsx';

const SHOWN = 6;

export function LastRuns() {
  const runs = useEndpoint(listRuns, { limit: SHOWN });
  return (
    <Card
      title={homeWords.lastRuns}
      flush
      aside={
        <Link to="/runs" className="text-accent underline-offset-2 hover:underline">
          {homeWords.allRuns}
        </Link>
      }
    >
      {runs.error && !runs.data && (
        <div className="px-5 pb-3">
          <ErrorBox error={runs.error} onRetry={() => void runs.refetch()} />
        </div>
      )}
      {runs.isPending && <Skeleton lines={4} className="px-5 pb-3" />}
      {runs.data?.items.length === 0 && <p className="px-5 pb-3 text-ink-soft">{runsWords.noneText}</p>}
      <ul>
        {runs.data?.items.map((run) => (
          <li key={run.id}>
            <Link to="/runs/$id" params={{ id: run.id }} className="flex items-center gap-3 px-5 py-2 -outline-offset-2 hover:bg-canvas">
              <Dot tone={STATUS_TONES[run.status]} />
              <span className="min-w-0 flex-1 truncate">{run.title}</span>
              <span className="sr-only">{runsWords.status[run.status]}</span>
              <Time at={run.createdAt} className="text-[0.8125rem] whitespace-nowrap text-ink-soft" />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
