import { Link } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { useState } from 'react';
import { listRuns, RunStatus, type RunSummary } from '#runs/contract';
import { listWorkflows } from '#workflows/contract';
import { useEndpoint, usePages } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { t } from '../../strings.ts';
import { runsWords } from '../../strings/runs.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { duration } from '../../ui/format.ts';
import { Money } from '../../ui/money.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Table } from '../../ui/table.tsx';
import { Time, useNow } from '../../ui/time.tsx';
import { Filter } from './filter.tsx';
import { StatusBadge, tookMs, triggerWords } from './status.tsx';

const PAGE_SIZE = 50;
/** Of columns that a phone has no room for. */
const WIDE = 'hidden sm:table-cell';
const WIDER = 'hidden lg:table-cell';

export function RunsPage() {
  const [status, setStatus] = useState<RunStatus | ''>('');
  const [workflow, setWorkflow] = useState('');
  const workflows = useEndpoint(listWorkflows, { limit: 200 });
  const runs = usePages(listRuns, { limit: PAGE_SIZE, ...(status !== '' && { status }), ...(workflow !== '' && { workflow }) });
  const { columns } = runsWords;

  return (
    <>
      <PageHead title={runsWords.title} text={runsWords.text}>
        <div className="flex flex-wrap gap-x-5 gap-y-2 max-sm:w-full">
          <Filter
            label={runsWords.ofWorkflow}
            value={workflow}
            options={[['', runsWords.anyWorkflow], ...(workflows.data?.items ?? []).map(({ name, title }) => [name, title] as const)]}
            onChange={setWorkflow}
          />
          <Filter
            label={runsWords.filter}
            value={status}
            options={[['', runsWords.anyStatus], ...RunStatus.options.map((it) => [it, runsWords.status[it]] as const)]}
            onChange={(it) => setStatus(it as RunStatus | '')}
          />
        </div>
      </PageHead>
      <Card flush className="pt-2">
        {runs.error && (
          <div className="p-4">
            <ErrorBox error={runs.error} onRetry={() => void runs.refetch()} />
          </div>
        )}
        {runs.isPending && <Skeleton lines={6} className="p-5" />}
        {runs.isSuccess && runs.items.length === 0 && (
          <Empty icon={ListChecks} title={runsWords.none}>
            {status === '' && workflow === '' ? runsWords.noneText : runsWords.noneSuch}
          </Empty>
        )}
        {runs.items.length > 0 && (
          <Table
            caption={runsWords.title}
            head={[
              { name: columns.title },
              { name: columns.status },
              { name: columns.trigger, className: WIDER },
              { name: columns.when, className: WIDE },
              { name: columns.took, className: `text-right ${WIDE}` },
              { name: columns.cost, className: `text-right ${WIDER}` },
            ]}
          >
            {runs.items.map((run) => (
              <Row key={run.id} run={run} />
            ))}
          </Table>
        )}
      </Card>
      {runs.hasNextPage && (
        <div className="mt-5 text-center">
          <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            {t.action.more}
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ run }: { readonly run: RunSummary }) {
  const now = useNow(run.status === 'running' ? 1_000 : 60_000);
  const took = tookMs(run, now);
  return (
    <tr className="relative hover:bg-canvas">
      <td className="w-full max-w-0 min-w-40">
        <Link to="/runs/$id" params={{ id: run.id }} className="block truncate font-medium before:absolute before:inset-0">
          {run.title}
        </Link>
        <span className="flex items-center gap-2 text-[0.8125rem] text-ink-soft">
          {runsWords.kind[run.kind]}
          {run.dryRun && <Badge>{runsWords.dryRun}</Badge>}
          <Time at={run.createdAt} className="sm:hidden" />
        </span>
      </td>
      <td>
        <StatusBadge status={run.status} />
      </td>
      <td className={`whitespace-nowrap text-ink-soft ${WIDER}`}>{triggerWords(run)}</td>
      <td className={`whitespace-nowrap text-ink-soft ${WIDE}`}>
        <Time at={run.createdAt} />
      </td>
      <td className={`text-right whitespace-nowrap text-ink-soft tabular-nums ${WIDE}`}>{took === null ? '' : duration(took)}</td>
      <td className={`text-right whitespace-nowrap text-ink-soft ${WIDER}`}>
        <Money usd={run.costUsd} />
      </td>
    </tr>
  );
}
