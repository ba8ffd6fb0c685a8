import { ScrollText } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { listAudit, type AuditEntry, type AuditFilter } from '#audit/contract';
import type { Json } from '#core/json';
import { usePages } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { t } from '../../strings.ts';
import { auditWords } from '../../strings/audit.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Data } from '../../ui/data.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { VerifyCard } from './verify-card.tsx';

const PAGE_SIZE = 50;
const TONES: Readonly<Record<NonNullable<AuditEntry['decision']>, Tone>> = { allow: 'good', deny: 'bad', ask: 'warn' };
const w = auditWords;

export function AuditPage() {
  const [filter, setFilter] = useState<AuditFilter>({});
  const wanted = useDeferredValue(filter);
  const entries = usePages(listAudit, { limit: PAGE_SIZE, ...wanted });
  const isFiltered = Object.keys(filter).length > 0;
  const query = new URLSearchParams(Object.entries(filter) as [string, string][]);

  return (
    <>
      <PageHead title={w.title} text={w.text}>
        <div className="flex gap-2">
          {(['jsonl', 'csv'] as const).map((format) => (
            <a
              key={format}
              download
              href={`/api/audit/export?${new URLSearchParams([...query, ['format', format]]).toString()}`}
              className={buttonClass()}
            >
              {w.export} {format === 'csv' ? w.exportCsv : w.exportJson}
            </a>
          ))}
        </div>
      </PageHead>
      <div className="space-y-5">
        <VerifyCard />
        <AuditFilters filter={filter} onChange={setFilter} />
        <Card flush className="pt-1">
          {entries.error && (
            <div className="p-4">
              <ErrorBox error={entries.error} onRetry={() => void entries.refetch()} />
            </div>
          )}
          {entries.isPending && <Skeleton lines={8} className="p-5" />}
          {entries.isSuccess && entries.items.length === 0 && (
            <Empty icon={ScrollText} title={w.none}>
              {isFiltered ? w.noneMatching : w.noneText}
            </Empty>
          )}
          <ul>
            {entries.items.map((entry) => (
              <li key={entry.seq} className="border-t border-line px-5 py-3 first:border-0">
                <Entry entry={entry} />
              </li>
            ))}
          </ul>
        </Card>
        {entries.hasNextPage && (
          <div className="text-center">
            <Button busy={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
              {t.action.more}
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

function Entry({ entry: { seq, at, actor, action, resource, decision, details, hash } }: { readonly entry: AuditEntry }) {
  return (
    <>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <span className="font-mono text-[0.8125rem] font-medium">{action}</span>
        <span className="min-w-0 flex-1 basis-48 wrap-anywhere">{resource}</span>
        {decision !== null && <Badge tone={TONES[decision]}>{w.decisions[decision]}</Badge>}
        <span className="text-[0.8125rem] wrap-anywhere text-ink-soft">{actor}</span>
        <Time at={at} className="text-[0.8125rem] whitespace-nowrap text-ink-faint" />
      </div>
      <Folded title={`${w.entry(seq)} · ${w.details}`}>{() => <Data value={{ at, details: details as Json, hash }} />}</Folded>
    </>
  );
}
