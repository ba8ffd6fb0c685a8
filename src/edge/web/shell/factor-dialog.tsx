import { KeyRound } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import type { FactorNeed } from '#core/client';
import { passkeyProof } from '../api/passkey.ts';
import { t } from '../strings.ts';
import { factorWords } from '../strings/factor.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorBox } from '../ui/error-box.tsx';
import { Field } from '../ui/field.tsx';

/** A question for the second factor, and where its answer goes; null declines. */
export interface Asked {
  readonly need: FactorNeed;
  readonly answer: (proof: string | null) => void;
}

/** The question itself, loaded when it is first asked: the dialog weighs as much as the rest of the shell. */
export function FactorDialog({ need, answer }: Asked) {
  const { factors, problem } = need;
  const [text, setText] = useState('');
  const [error, setError] = useState<unknown>(null);
  const byPassword = factors.includes('password');
  const byCode = byPassword || factors.includes('totp') || factors.includes('recovery');

  function submit(event: FormEvent): void {
    event.preventDefault();
    answer(byPassword ? text : text.trim());
  }

  async function passkey(): Promise<void> {
    setError(null);
    await passkeyProof(need).then(answer, setError);
  }

  return (
    <Dialog open onClose={() => answer(null)} title={factorWords.title} text={words(need)}>
      {error !== null && (
        <div className="mb-4">
          <ErrorBox error={factorWords.passkeyFailed} />
        </div>
      )}
      <form onSubmit={submit} className="space-y-5">
        {byCode && (
          <Field
            label={byPassword ? factorWords.password : factorWords.code}
            type={byPassword ? 'password' : 'text'}
            autoCapitalize="none"
            spellCheck={false}
            autoComplete={byPassword ? 'current-password' : 'one-time-code'}
            autoFocus
            required
            value={text}
            onChange={(event) => setText(event.target.value)}
            hint={byPassword ? undefined : factorWords.codeHint}
            error={problem ?? null}
          />
        )}
        {need.passkey !== undefined && (
          <Button className="w-full" look={byCode ? 'plain' : 'primary'} onClick={() => void passkey()}>
            <KeyRound aria-hidden className="size-4" />
            {factorWords.usePasskey}
          </Button>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => answer(null)}>{t.action.cancel}</Button>
          {byCode && (
            <Button type="submit" look="primary" disabled={text.trim() === ''}>
              {factorWords.confirm}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function words({ factors, passkey }: FactorNeed): string {
  if (factors.length === 0) return factorWords.none;
  if (factors.includes('password')) return factorWords.byPassword;
  return factors.includes('passkey') && passkey === undefined ? factorWords.passkeyElsewhere : factorWords.text;
}
