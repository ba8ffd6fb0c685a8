import { Link } from '@tanstack/react-router';
import { MessageCircleQuestion } from 'lucide-react';
import { listApprovals, type Approval } from '#policy/contract';
import { usePages } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { policyWords } from '../../strings/policy.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

/** Questions that are over, the newest first: who answered what, and by what way. */
export function AnsweredApprovals() {
  const approvals = usePages(listApprovals, { limit: 25 });
  const over = approvals.items.filter(({ status }) => status !== 'pending');
  return (
    <Card title={policyWords.answered} flush>
      {approvals.error && (
        <div className="px-5 pb-4">
          <ErrorBox error={approvals.error} onRetry={() => void approvals.refetch()} />
        </div>
      )}
      {approvals.isPending && <Skeleton lines={3} className="px-5 pb-4" />}
      {approvals.isSuccess && over.length === 0 && (
        <Empty icon={MessageCircleQuestion} title={policyWords.noneAnswered}>
          {policyWords.noneAnsweredText}
        </Empty>
      )}
      <ul>
        {over.map((approval) => (
          <Row key={approval.id} approval={approval} />
        ))}
      </ul>
      {approvals.hasNextPage && (
        <div className="px-5 py-3 text-center">
          <Button size="small" busy={approvals.isFetchingNextPage} onClick={() => void approvals.fetchNextPage()}>
            {t.action.more}
          </Button>
        </div>
      )}
    </Card>
  );
}

function Row({ approval }: { readonly approval: Approval }) {
  const { title, question, status, options, answer, answeredBy, via, endedAt, runId } = approval;
  const chosen = options.find(({ id }) => id === answer);
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1 border-t border-line px-5 py-3 first:border-0">
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-medium wrap-anywhere">
          {runId === null ? (
            title
          ) : (
            <Link to="/runs/$id" params={{ id: runId }} className="underline-offset-2 hover:underline">
              {title}
            </Link>
          )}
        </p>
        <p className="line-clamp-2 text-[0.8125rem] wrap-anywhere text-ink-soft">{question}</p>
      </div>
      <div className="text-[0.8125rem] text-ink-soft sm:text-right">
        <Badge tone={status !== 'answered' ? 'neutral' : chosen?.style === 'danger' ? 'bad' : 'good'}>
          {status === 'answered' ? (chosen?.label ?? answer) : policyWords.approvalStatus[status]}
        </Badge>
        <p className="mt-1">
          {answeredBy !== null && <span>{policyWords.by(answeredBy, via ?? '')} </span>}
          {endedAt !== null && <Time at={endedAt} />}
        </p>
      </div>
    </li>
  );
}
