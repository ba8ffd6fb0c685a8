import { listBudgets } from '#llm/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { money } from '../../ui/format.ts';
import { Skeleton } from '../../ui/skeleton.tsx';

/** What was spent today and how much of the limit that is. */
export function SpendCard() {
  const budgets = useEndpoint(listBudgets, {});
  const day = budgets.data?.items.find(({ scope, key }) => scope === 'day' && key === '');
  const month = budgets.data?.items.find(({ scope, key }) => scope === 'month' && key === '');
  if (budgets.error)
    return (
      <Card title={homeWords.spend}>
        <ErrorBox error={budgets.error} onRetry={() => void budgets.refetch()} />
      </Card>
    );
  if (!budgets.data)
    return (
      <Card title={homeWords.spend}>
        <Skeleton lines={2} />
      </Card>
    );
  const spent = day?.spentUsd ?? 0;
  const limit = day?.limitUsd == null ? null : day.limitUsd + day.extraUsd;
  const share = limit === null || limit === 0 ? 0 : spent / limit;
  return (
    <Card title={homeWords.spend}>
      <p className="flex items-baseline gap-2">
        <span className="text-2xl font-semibold tracking-tight tabular-nums">{money(spent)}</span>
        <span className="text-ink-soft">{limit === null ? homeWords.noBudget : homeWords.ofBudget(money(limit))}</span>
      </p>
      {limit !== null && (
        <progress
          value={spent}
          max={limit || 1}
          aria-label={homeWords.spend}
          className={`progress mt-3 h-1.5 w-full ${share > 0.9 ? 'progress-bad' : share > 0.7 ? 'progress-warn' : ''}`}
        />
      )}
      <p className="mt-2.5 text-[0.8125rem] text-ink-soft">
        {homeWords.thisMonth(money(month?.spentUsd ?? 0), month?.limitUsd == null ? null : money(month.limitUsd + month.extraUsd))}
      </p>
      {day && day.heldUsd > 0 && <p className="text-[0.8125rem] text-ink-soft">{homeWords.held(money(day.heldUsd))}</p>}
    </Card>
  );
}
