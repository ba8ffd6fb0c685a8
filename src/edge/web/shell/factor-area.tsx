import { KeyRound } from 'lucide-react';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import type { FactorNeed } from '#core/client';
import { useApi } from '../api/api.ts';
import { passkeyProof } from '../api/passkey.ts';
import { t } from '../strings.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorBox } from '../ui/error-box.tsx';
import { Field } from '../ui/field.tsx';

interface Asked {
  readonly need: FactorNeed;
  readonly answer: (proof: string | null) => void;
}

/** The one place where a second factor is asked for: whatever request needed it is then sent again. */
export function FactorArea({ children }: { readonly children: ReactNode }) {
  const { onFactorAsked } = useApi();
  const [asked, setAsked] = useState<Asked | null>(null);

  useEffect(() => {
    let open: Asked | null = null;
    const ask = (need: FactorNeed): Promise<string | null> =>
      new Promise((resolve) => {
        open?.answer(null); // one question at a time
        const answer = (proof: string | null): void => {
          open = null;
          setAsked(null);
          resolve(proof);
        };
        open = { need, answer };
        setAsked(open);
      });
    return onFactorAsked(ask);
  }, [onFactorAsked]);

  return (
    <>
      {children}
      {asked && <FactorDialog {...asked} />}
    </>
  );
}

function FactorDialog({ need, answer }: Asked) {
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
    <Dialog open onClose={() => answer(null)} title={t.factor.title} text={words(need)}>
      {error !== null && (
        <div className="mb-4">
          <ErrorBox error={t.factor.passkeyFailed} />
        </div>
      )}
      <form onSubmit={submit} className="space-y-5">
        {byCode && (
          <Field
            label={byPassword ? t.factor.password : t.factor.code}
            type={byPassword ? 'password' : 'text'}
            autoCapitalize="none"
            spellCheck={false}
            autoComplete={byPassword ? 'current-password' : 'one-time-code'}
            autoFocus
            required
            value={text}
            onChange={(event) => setText(event.target.value)}
            hint={byPassword ? undefined : t.factor.codeHint}
            error={problem ?? null}
          />
        )}
        {need.passkey !== undefined && (
          <Button className="w-full" look={byCode ? 'plain' : 'primary'} onClick={() => void passkey()}>
            <KeyRound aria-hidden className="size-4" />
            {t.factor.usePasskey}
          </Button>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => answer(null)}>{t.action.cancel}</Button>
          {byCode && (
            <Button type="submit" look="primary" disabled={text.trim() === ''}>
              {t.factor.confirm}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function words({ factors, passkey }: FactorNeed): string {
  if (factors.length === 0) return t.factor.none;
  if (factors.includes('password')) return t.factor.byPassword;
  return factors.includes('passkey') && passkey === undefined ? t.factor.passkeyElsewhere : t.factor.text;
}
