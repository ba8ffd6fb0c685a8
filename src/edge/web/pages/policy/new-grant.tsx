import { useState, type FormEvent } from 'react';
import { createPolicyGrant, listPolicyGrants, type Effect } from '#policy/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { policyWords } from '../../strings/policy.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { CaseFields, noCase, trimmedCase } from './case-fields.tsx';

const EFFECTS: readonly Effect[] = ['allow', 'deny', 'ask'];
const DAY_MS = 86_400_000;
const ENDS = ['', '1', '30', '365'] as const;

/** Makes a grant from the words that matter; finer conditions are for the command line. */
export function NewGrantDialog({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(createPolicyGrant, { quiet: true, done: policyWords.granted, refresh: [listPolicyGrants] });
  const [effect, setEffect] = useState<Effect>('allow');
  const [policyCase, setPolicyCase] = useState(noCase);
  const [days, setDays] = useState<(typeof ENDS)[number]>('');
  const [reason, setReason] = useState('');

  function submit(event: FormEvent): void {
    event.preventDefault();
    const grant = {
      effect,
      ...trimmedCase(policyCase),
      ...(reason.trim() !== '' && { reason: reason.trim() }),
      ...(days !== '' && { expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }),
    };
    create.mutate(grant, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={policyWords.newGrant} text={policyWords.newGrantText}>
      <form onSubmit={submit} className="space-y-4">
        <fieldset className="flex gap-2">
          <legend className="sr-only">{policyWords.what}</legend>
          {EFFECTS.map((it) => (
            <label
              key={it}
              className="flex h-10 flex-1 items-center justify-center rounded-control border border-line-strong text-[0.9375rem] has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-2"
            >
              <input type="radio" name="effect" className="sr-only" checked={effect === it} onChange={() => setEffect(it)} />
              {policyWords.effect[it]}
            </label>
          ))}
        </fieldset>
        <CaseFields value={policyCase} onChange={setPolicyCase} isPattern />
        <div>
          <label htmlFor="grant-ends" className="mb-1.5 block text-[0.8125rem] font-medium">
            {policyWords.ends}
          </label>
          <select
            id="grant-ends"
            value={days}
            onChange={(event) => setDays(event.target.value as (typeof ENDS)[number])}
            className="h-11 w-full rounded-control border border-line-strong bg-surface px-3 text-base text-ink"
          >
            {ENDS.map((it) => (
              <option key={it} value={it}>
                {policyWords.endsAfter(it)}
              </option>
            ))}
          </select>
        </div>
        <Field label={policyWords.reason} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        {create.error && !create.isPending && (
          <p role="alert" className="text-[0.8125rem] wrap-anywhere text-bad">
            {messageOf(create.error)}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            {policyWords.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
