import { EyeOff, Globe, TriangleAlert } from 'lucide-react';
import { getLabelPaths, type JournalEntry, type Label, type RunDetail, type StepRecord } from '#runs/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { runWords, runsWords } from '../../strings/runs.ts';
import { Badge } from '../../ui/badge.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';

const ICONS = { owner: EyeOff, untrusted: Globe, private: EyeOff, secret: EyeOff } as const;

/** What kind of text a step has seen, in words; the owner's own needs none. */
export function LabelBadges({ labels }: { readonly labels: readonly Label[] }) {
  return labels
    .filter((label) => label !== 'owner')
    .map((label) => {
      const Icon = ICONS[label];
      return (
        <Badge key={label} tone={label === 'untrusted' ? 'warn' : 'neutral'}>
          <Icon aria-hidden className="size-3" />
          {runsWords.label[label]}
        </Badge>
      );
    });
}

/** Where the labelled text of a step came from; asked for when it is opened. */
export function Origins({ run, step }: { readonly run: RunDetail; readonly step: StepRecord }) {
  const flagged = run.journal.filter(({ type, step: at }) => type === 'content.flagged' && at === step.path);
  if (!step.labels.some((label) => label !== 'owner')) return null;
  return (
    <>
      {flagged.map((entry) => (
        <Flagged key={entry.seq} entry={entry} />
      ))}
      <Folded title={runWords.origins}>{() => <Ways id={run.id} step={step.path} />}</Folded>
    </>
  );
}

function Flagged({ entry }: { readonly entry: JournalEntry }) {
  const { reasons = [] } = (entry.data ?? {}) as { reasons?: readonly string[] };
  return (
    <p className="mt-1.5 flex gap-2 text-[0.8125rem] text-warn">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="wrap-anywhere">{runWords.flagged(reasons.join(', '))}</span>
    </p>
  );
}

function Ways({ id, step }: { readonly id: string; readonly step: string }) {
  const ways = useEndpoint(getLabelPaths, { id, step });
  if (ways.error) return <ErrorBox error={ways.error} />;
  if (!ways.data) return <Skeleton lines={2} />;
  return (
    <dl className="space-y-2.5 text-[0.8125rem]">
      {ways.data.items
        .filter(({ label }) => label !== 'owner')
        .map(({ label, from, via }) => (
          <div key={label}>
            <dt className="font-medium">{runsWords.label[label]}</dt>
            <dd className="text-ink-soft wrap-anywhere">
              {from.length > 0 && <span className="block">{runWords.readFrom(from.join(', '))}</span>}
              {via.length > 0 && <span className="block">{runWords.wentThrough(via.join(' → '))}</span>}
            </dd>
          </div>
        ))}
    </dl>
  );
}
