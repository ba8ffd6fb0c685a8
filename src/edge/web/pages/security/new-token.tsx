import { useId, useState, type FormEvent } from 'react';
import { createToken, listTokens } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { securityWords } from '../../strings/security.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';

const DAY_MS = 86_400_000;
const CHOICES = ['30', '90', '365', ''] as const;

/** Asks for name, grants and end; shows the token this once. */
export function NewToken({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [grants, setGrants] = useState('*');
  const [days, setDays] = useState<(typeof CHOICES)[number]>('90');
  const select = useId();
  const make = useAction(createToken, { quiet: true, refresh: [listTokens] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    make.mutate({ name, grants: grants.trim().split(/[\s,]+/), expiresAt });
  }

  if (make.data)
    return (
      <Dialog open onClose={onClose} title={securityWords.tokenMade} text={securityWords.tokenMadeText}>
        <p aria-label={securityWords.tokenField} className="rounded-control bg-sunken p-4 font-mono text-sm wrap-anywhere select-all">
          {make.data.token}
        </p>
        <div className="mt-5 flex justify-end">
          <Button look="primary" onClick={onClose}>
            {securityWords.done}
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog open onClose={onClose} title={securityWords.newToken} text={securityWords.tokensText}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label={securityWords.tokenName}
          autoFocus
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label={securityWords.tokenGrants}
          required
          spellCheck={false}
          autoCapitalize="none"
          value={grants}
          onChange={(event) => setGrants(event.target.value)}
          hint={securityWords.tokenGrantsHint}
          error={make.error && !make.isPending ? messageOf(make.error) : null}
        />
        <div>
          <label htmlFor={select} className="mb-1.5 block text-[0.8125rem] font-medium">
            {securityWords.tokenExpires}
          </label>
          <select
            id={select}
            value={days}
            onChange={(event) => setDays(event.target.value as typeof days)}
            className="h-11 w-full rounded-control border border-line-strong bg-surface px-3 text-base text-ink"
          >
            {CHOICES.map((choice) => (
              <option key={choice} value={choice}>
                {securityWords.tokenExpiresChoices[choice]}
              </option>
            ))}
          </select>
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={make.isPending} disabled={name.trim() === ''}>
            {securityWords.tokenMake}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
