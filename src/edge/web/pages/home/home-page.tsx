import { PageHead } from '../../shell/page-head.tsx';
import { homeWords } from '../../strings/home.ts';
import { dayName } from '../../ui/format.ts';
import { useNow } from '../../ui/time.tsx';
import { WaitingForYou } from './approvals.tsx';
import { BriefingCard } from './briefing-card.tsx';
import { HealthLine } from './health-line.tsx';
import { LastRuns } from './last-runs.tsx';
import { SpendCard } from './spend-card.tsx';

export function HomePage() {
  const now = useNow(60_000);
  return (
    <>
      <PageHead title={homeWords.greeting(new Date(now).getHours())} text={dayName(now)}>
        <HealthLine />
      </PageHead>
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_20rem] lg:items-start">
        <div className="min-w-0 space-y-5">
          <WaitingForYou />
          <BriefingCard />
        </div>
        <div className="min-w-0 space-y-5">
          <SpendCard />
          <LastRuns />
        </div>
      </div>
    </>
  );
}
