import { LoaderCircle } from 'lucide-react';
import { useCallback, useEffect, useRef, useState, type FormEvent } from 'react';
import { AppError } from '#core/errors';
import { login, loginWithLink, type LoginChallenge, type SessionState } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { useEnter } from '../../api/use-session.ts';
import { Door } from '../../shell/door.tsx';
import { t } from '../../strings.ts';
import { loginWords } from '../../strings/login.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Field } from '../../ui/field.tsx';
import { PasskeyLogin } from './passkey-login.tsx';
import { SecondStep } from './second-step.tsx';

interface LoginPageProps {
  /** Of a login link; exchanged at once. */
  readonly code: string | null;
  readonly passwordSet: boolean;
  /** Whether a passkey could open the door here. */
  readonly passkeys: boolean;
  readonly onCodeUsed: () => void;
}

export function LoginPage({ code, passwordSet, passkeys, onCodeUsed }: LoginPageProps) {
  const enter = useEnter();
  const [challenge, setChallenge] = useState<LoginChallenge | null>(null);
  const [over, setOver] = useState('');
  const onward = useCallback(
    (state: SessionState): void => {
      setOver('');
      setChallenge(state.challenge);
      if (state.challenge === null) enter(state);
    },
    [enter],
  );
  const byLink = useAction(loginWithLink, { quiet: true });
  const began = useRef(false);
  const { mutateAsync } = byLink;

  useEffect(() => {
    if (code === null || began.current) return;
    began.current = true; // a code is good once, and React may come here twice
    void mutateAsync({ code })
      .then(onward, () => {})
      .finally(onCodeUsed);
  }, [code, mutateAsync, onward, onCodeUsed]);

  if (code !== null)
    return (
      <Door title={t.name}>
        <p role="status" className="flex items-center gap-2.5 text-ink-soft">
          <LoaderCircle aria-hidden className="size-4 animate-turn" />
          {loginWords.working}
        </p>
      </Door>
    );

  if (challenge !== null)
    return (
      <Door title={loginWords.secondTitle} text={loginWords.secondText}>
        <SecondStep
          challenge={challenge}
          onOver={(message) => {
            setChallenge(null);
            setOver(message);
          }}
        />
      </Door>
    );

  const linkError = byLink.error && (
    <div className="mb-5">
      <ErrorBox error={isRefused(byLink.error) ? loginWords.linkUsed : byLink.error} />
    </div>
  );
  if (!passwordSet)
    return (
      <Door title={loginWords.noPasswordTitle}>
        {linkError}
        <p className="text-ink-soft">{loginWords.noPassword}</p>
        <p className="mt-3 text-ink-soft">{loginWords.noPasswordAgain}</p>
      </Door>
    );
  return (
    <Door title={loginWords.title}>
      {linkError}
      {over !== '' && (
        <div className="mb-5">
          <ErrorBox error={over} />
        </div>
      )}
      <PasswordForm onRight={onward} />
      {passkeys && <PasskeyLogin />}
    </Door>
  );
}

function PasswordForm({ onRight }: { readonly onRight: (state: SessionState) => void }) {
  const byPassword = useAction(login, { quiet: true });
  const [password, setPassword] = useState('');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const state = await byPassword.mutateAsync({ password }).catch(() => null);
    if (state) onRight(state);
    else setPassword('');
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Field
        label={loginWords.password}
        type="password"
        name="password"
        autoComplete="current-password"
        autoFocus
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        error={byPassword.error && !byPassword.isPending ? refusal(byPassword.error) : null}
      />
      <Button type="submit" look="primary" className="mt-5 w-full" busy={byPassword.isPending} disabled={password === ''}>
        {loginWords.submit}
      </Button>
      <p className="mt-4 text-[0.8125rem] text-ink-faint">{loginWords.forgotten}</p>
    </form>
  );
}

function isRefused(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'unauthenticated';
}

function refusal(error: unknown): string {
  if (!(error instanceof AppError) || error.kind !== 'limited') return messageOf(error);
  const waitS = Number(error.details['retryAfterSeconds'] ?? 60);
  return loginWords.throttled(Math.max(1, Math.ceil(waitS / 60)));
}
