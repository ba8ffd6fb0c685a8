import { PageHead } from '../../shell/page-head.tsx';
import { policyWords } from '../../strings/policy.ts';
import { WaitingForYou } from '../home/approvals.tsx';
import { AnsweredApprovals } from './answered.tsx';
import { Explain } from './explain.tsx';
import { Grants } from './grants.tsx';

/** What may be done and by whom: the questions that wait, the grants, and what would be decided. */
export function PolicyPage() {
  return (
    <>
      <PageHead title={policyWords.title} text={policyWords.text} />
      <div className="space-y-5">
        <WaitingForYou />
        <Grants />
        <Explain />
        <AnsweredApprovals />
      </div>
    </>
  );
}
