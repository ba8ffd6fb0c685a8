import { useState, type FormEvent } from 'react';
import type { z } from 'zod';
import { explainPolicy, type ContentLabel } from '#policy/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { policyWords } from '../../strings/policy.ts';
import { runsWords } from '../../strings/runs.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { CaseFields, noCase, trimmedCase } from './case-fields.tsx';
import { EffectBadge } from './effect-badge.tsx';
import { useNames } from './use-names.ts';

const LABELS: readonly ContentLabel[] = ['untrusted', 'private', 'secret'];

/** What would be decided in a case that the owner makes up, and why. */
export function Explain() {
  const explain = useAction(explainPolicy, { quiet: true });
  const [policyCase, setPolicyCase] = useState(noCase);
  const [labels, setLabels] = useState<readonly ContentLabel[]>([]);

  function submit(event: FormEvent): void {
    event.preventDefault();
    explain.mutate({
      ...trimmedCase(policyCase),
      chain: /^(?:owner|cli|token)/.test(policyCase.principal) ? [] : ['owner'],
      labels: [...labels],
    });
  }

  return (
    <Card title={policyWords.explain} aside={policyWords.explainText}>
      <form onSubmit={submit} className="grid gap-4 sm:grid-cols-3">
        <CaseFields value={policyCase} onChange={setPolicyCase} />
        <fieldset className="flex flex-wrap items-center gap-x-5 gap-y-2 sm:col-span-2">
          <legend className="sr-only">{policyWords.labels}</legend>
          <span aria-hidden className="text-[0.8125rem] font-medium">
            {policyWords.labels}
          </span>
          {LABELS.map((label) => (
            <label key={label} className="flex items-center gap-2 text-[0.9375rem]">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={labels.includes(label)}
                onChange={({ target }) => setLabels(target.checked ? [...labels, label] : labels.filter((it) => it !== label))}
              />
              {runsWords.label[label]}
            </label>
          ))}
        </fieldset>
        <div className="sm:text-right">
          <Button type="submit" busy={explain.isPending}>
            {policyWords.decide}
          </Button>
        </div>
      </form>
      <div aria-live="polite">
        {explain.error && !explain.isPending && <p className="mt-4 text-[0.8125rem] wrap-anywhere text-bad">{messageOf(explain.error)}</p>}
        {explain.data && !explain.error && <Told told={explain.data} />}
      </div>
    </Card>
  );
}

type Explained = z.output<typeof explainPolicy.output>;

function Told({ told: { effect, reason, resource, matching } }: { readonly told: Explained }) {
  const nameOf = useNames();
  return (
    <div className="mt-5 rounded-control bg-sunken p-4">
      <p className="flex flex-wrap items-center gap-2">
        <EffectBadge effect={effect} />
        {resource !== '*' && <code className="font-mono text-[0.8125rem] wrap-anywhere">{resource}</code>}
      </p>
      <p className="mt-2 wrap-anywhere">{reason}</p>
      <p className="mt-3 text-[0.8125rem] text-ink-soft">{matching.length === 0 ? policyWords.noRule : policyWords.rules}</p>
      <ul className="mt-1 space-y-1 text-[0.8125rem]">
        {matching.slice(0, 10).map((it) => (
          <li key={it.id} className="wrap-anywhere">
            {policyWords.effect[it.effect]}: {nameOf(it.principal)}, {it.capability}
            {it.resource === '*' ? '' : ` ${policyWords.on} ${it.resource}`}
            {it.origin === 'starter' && <span className="text-ink-soft"> ({policyWords.fromStart})</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
