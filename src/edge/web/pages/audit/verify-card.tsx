import { ShieldCheck } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { acceptAudit, followVerify, listAudit, type AuditProgress, type AuditReport } from '#audit/contract';
import { useApi } from '../../api/api.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { auditWords } from '../../strings/audit.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Time } from '../../ui/time.tsx';

const w = auditWords;

/** Checks the chain while one looks on. */
export function VerifyCard() {
  const { client } = useApi();
  const [progress, setProgress] = useState<AuditProgress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const life = useRef<AbortController | null>(null);
  useEffect(() => () => life.current?.abort(), []);
  const isRunning = progress !== null && progress.report === null && error === null;

  async function verify(): Promise<void> {
    const mine = (life.current = new AbortController());
    setError(null);
    setProgress({ checked: 0, of: 0, report: null });
    try {
      for await (const { data } of client.stream(followVerify, {}, { signal: mine.signal })) setProgress(data);
    } catch (thrown) {
      if (!mine.signal.aborted) setError(thrown);
    }
  }

  return (
    <Card title={w.proof}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-prose text-ink-soft">{w.proofText}</p>
        <Button look="primary" busy={isRunning} onClick={() => void verify()}>
          <ShieldCheck aria-hidden className="size-4" />
          {w.verify}
        </Button>
      </div>
      <div aria-live="polite">
        {isRunning && (
          <div className="mt-4">
            <progress
              value={progress.checked}
              max={Math.max(1, progress.of)}
              aria-label={w.verify}
              className="h-2 w-full accent-(--accent)"
            />
            <p className="text-[0.8125rem] text-ink-soft tabular-nums">{w.checking(progress.checked, progress.of)}</p>
          </div>
        )}
        {error !== null && (
          <div className="mt-4">
            <ErrorBox error={error} onRetry={() => void verify()} />
          </div>
        )}
        {progress?.report && (
          <Report report={progress.report} onAccepted={(report) => setProgress({ checked: report.checked, of: report.checked, report })} />
        )}
      </div>
    </Card>
  );
}

function Report({ report, onAccepted }: { readonly report: AuditReport; readonly onAccepted: (report: AuditReport) => void }) {
  const { ok, checked, head, checkpoint, anchor, problems } = report;
  const accept = useAction(acceptAudit, { refresh: [listAudit] });
  const isAnchor = problems.some(({ problem }) => problem === 'truncated' || problem === 'anchor');
  return (
    <div className="mt-4 space-y-2">
      {ok ? (
        <p className="rounded-control bg-good-soft px-4 py-3 text-good">{w.whole(checked)}</p>
      ) : (
        <div role="alert" className="rounded-control border border-bad/25 bg-bad-soft p-4">
          <p className="font-medium">{w.broken}</p>
          <ul className="mt-1 list-disc pl-5">
            {problems.map(({ seq, problem, message }) => (
              <li key={`${seq} ${problem}`}>{message}</li>
            ))}
          </ul>
          {isAnchor && (
            <Button size="small" className="mt-3" busy={accept.isPending} onClick={() => accept.mutate({}, { onSuccess: onAccepted })}>
              {w.accept}
            </Button>
          )}
        </div>
      )}
      <p className="text-[0.8125rem] text-ink-soft">
        {w.head}: <code className="font-mono wrap-anywhere select-all">{`${head.seq} ${head.hash}`}</code>. {w.headText}
      </p>
      {checkpoint && <p className="text-[0.8125rem] text-ink-soft">{w.before(checkpoint.seq)}</p>}
      {anchor && (
        <p className="text-[0.8125rem] text-ink-soft">
          {w.anchored(anchor.seq)}, <Time at={anchor.at} />
          {anchor.sealed && `, ${w.sealed}`}.
        </p>
      )}
    </div>
  );
}
