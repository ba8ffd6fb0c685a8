import { Link } from '@tanstack/react-router';
import { MessageCircleQuestion } from 'lucide-react';
import { answerApproval, listApprovals, listPolicyGrants, type Approval, type ApprovalOption } from '#policy/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { approvalWords } from '../../strings/runs.ts';
import { Button, type ButtonLook } from '../../ui/button.tsx';
import { Data } from '../../ui/data.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Time } from '../../ui/time.tsx';
import { LabelPaths } from '../policy/label-paths.tsx';

const LOOKS: Readonly<Record<ApprovalOption['style'], ButtonLook>> = { primary: 'primary', neutral: 'plain', danger: 'danger' };

/** The questions that wait for the owner, of one run or of all; nothing at all when there is none. */
export function PendingApprovals({ runId }: { readonly runId?: string }) {
  const approvals = useEndpoint(listApprovals, { status: 'pending', limit: 20, ...(runId !== undefined && { run: runId }) });
  return approvals.data?.items.map((approval) => <Question key={approval.id} approval={approval} showRun={runId === undefined} />);
}

/** What only the owner can decide comes before everything else. */
export function WaitingForYou() {
  const approvals = useEndpoint(listApprovals, { status: 'pending', limit: 20 });
  if (!approvals.data || approvals.data.items.length === 0) return null;
  return (
    <section aria-labelledby="waits" className="space-y-3">
      <h2 id="waits" className="px-1 font-semibold">
        {homeWords.waits}
      </h2>
      <PendingApprovals />
    </section>
  );
}

function Question({ approval, showRun }: { readonly approval: Approval; readonly showRun: boolean }) {
  const answer = useAction(answerApproval, { done: approvalWords.answered, refresh: [listApprovals, listPolicyGrants] });

  function choose(option: ApprovalOption): void {
    answer.mutate({ id: approval.id, option: option.id });
  }

  return (
    <section aria-label={approval.title} className="rounded-card border border-warn/40 bg-surface p-5 shadow-low">
      <div className="flex gap-3">
        <MessageCircleQuestion aria-hidden className="mt-0.5 size-5 shrink-0 text-warn" />
        <div className="min-w-0 flex-1">
          <h3 className="font-semibold wrap-anywhere">{approval.title}</h3>
          <p className="mt-0.5 wrap-anywhere whitespace-pre-line">{approval.question}</p>
          <p className="mt-1 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
            <Time at={approval.createdAt} />
            {showRun && approval.runId !== null && (
              <Link to="/runs/$id" params={{ id: approval.runId }} className="text-accent underline-offset-2 hover:underline">
                {approvalWords.run}
              </Link>
            )}
            {approval.expiresAt !== null && (
              <span>
                {homeWords.expires} <Time at={approval.expiresAt} />
              </span>
            )}
          </p>
          <LabelPaths details={approval.details} />
          {hasDetails(approval) && <Folded title={approvalWords.details}>{() => <Data value={approval.details} />}</Folded>}
          <div className="mt-3 flex flex-wrap gap-2">
            {approval.options.map((option) => (
              <Button key={option.id} size="small" look={LOOKS[option.style]} disabled={answer.isPending} onClick={() => choose(option)}>
                {option.label}
              </Button>
            ))}
          </div>
        </div>
      </div>
    </section>
  );
}

function hasDetails({ details }: Approval): boolean {
  return details !== null && JSON.stringify(details) !== '{}';
}
