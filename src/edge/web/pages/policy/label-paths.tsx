import { z } from 'zod';
import type { Json } from '#core/json';
import { LabelPath } from '#runs/contract';
import { runsWords } from '../../strings/runs.ts';

const WithPath = z.object({ path: z.array(LabelPath) });

/** The way text took to an act that is asked about: where it came from, and through which steps. */
export function LabelPaths({ details }: { readonly details: Json }) {
  const paths = (WithPath.safeParse(details).data?.path ?? []).filter(({ label }) => label !== 'owner');
  if (paths.length === 0) return null;
  return (
    <dl className="mt-2 space-y-1 text-[0.8125rem]">
      {paths.map(({ label, from, via }) => (
        <div key={label} className="flex flex-wrap gap-x-2">
          <dt className="font-medium text-warn">{runsWords.label[label]}</dt>
          <dd className="wrap-anywhere text-ink-soft">{[from.join(', '), ...via].filter((each) => each !== '').join(' → ')}</dd>
        </div>
      ))}
    </dl>
  );
}
