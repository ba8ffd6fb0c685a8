import { useState, type FormEvent } from 'react';
import { getSession, setPassword as setPasswordEndpoint } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { Door } from '../../shell/door.tsx';
import { passwordWords } from '../../strings/login.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { passwordStrength } from './strength.ts';

/** First of all: the login link works once, so a password must be there before anything else. */
export function PasswordPage() {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [isShown, setShown] = useState(false);
  const [isTried, setTried] = useState(false);
  const save = useAction(setPasswordEndpoint, { quiet: true, done: passwordWords.done, refresh: [getSession] });
  const differs = again !== password;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (!differs) save.mutate({ password });
  }

  const type = isShown ? 'text' : 'password';
  return (
    <Door title={passwordWords.title} text={passwordWords.text}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label={passwordWords.field}
          type={type}
          name="password"
          autoComplete="new-password"
          autoFocus
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          hint={<Strength password={password} />}
          error={save.error ? messageOf(save.error) : null}
        />
        <Field
          label={passwordWords.again}
          type={type}
          name="again"
          autoComplete="new-password"
          required
          value={again}
          onChange={(event) => setAgain(event.target.value)}
          error={isTried && differs ? passwordWords.differ : null}
        />
        <label className="flex items-center gap-2 text-[0.8125rem] text-ink-soft">
          <input
            type="checkbox"
            checked={isShown}
            onChange={(event) => setShown(event.target.checked)}
            className="size-4 accent-(--accent)"
          />
          {passwordWords.show}
        </label>
        <Button type="submit" look="primary" className="w-full" busy={save.isPending} disabled={passwordStrength(password) === 0}>
          {passwordWords.submit}
        </Button>
      </form>
    </Door>
  );
}

const BARS = ['bg-bad', 'bg-bad', 'bg-warn', 'bg-good', 'bg-good'];

function Strength({ password }: { readonly password: string }) {
  const strength = passwordStrength(password);
  if (password === '') return passwordWords.advice;
  return (
    <span className="block" aria-live="polite">
      <span aria-hidden className="mb-1.5 flex gap-1">
        {[1, 2, 3, 4].map((level) => (
          <span key={level} className={`h-1 flex-1 rounded-full ${level <= Math.max(1, strength) ? BARS[strength] : 'bg-sunken'}`} />
        ))}
      </span>
      {passwordWords.strength[strength]}
    </span>
  );
}
