import { KeyRound } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { AppError } from '#core/errors';
import { loginWithFactor, type LoginChallenge } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { signWithPasskey } from '../../api/passkey.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { useEnter } from '../../api/use-session.ts';
import { factorWords } from '../../strings/factor.ts';
import { loginWords } from '../../strings/login.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Field } from '../../ui/field.tsx';

interface SecondStepProps {
  readonly challenge: LoginChallenge;
  /** It is over: back to the password. */
  readonly onOver: (message: string) => void;
}

/** After the password: a code, a recovery code, or a passkey. */
export function SecondStep({ challenge, onOver }: SecondStepProps) {
  const enter = useEnter();
  const send = useAction(loginWithFactor, { quiet: true });
  const [code, setCode] = useState('');
  const [passkeyError, setPasskeyError] = useState(false);
  const byCode = challenge.factors.includes('totp') || challenge.factors.includes('recovery');

  async function give(answer: { code: string } | { passkey: Awaited<ReturnType<typeof signWithPasskey>> }): Promise<void> {
    await send.mutateAsync({ challenge: challenge.id, ...answer }).then(enter, (error: unknown) => {
      setCode('');
      if (error instanceof AppError && error.code === 'owner.challenge_over') onOver(messageOf(error));
    });
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    void give({ code: code.trim() });
  }

  async function passkey(): Promise<void> {
    setPasskeyError(false);
    await signWithPasskey(challenge.passkey).then(
      (signed) => give({ passkey: signed }),
      () => setPasskeyError(true),
    );
  }

  return (
    <form onSubmit={submit} className="space-y-4">
      {passkeyError && <ErrorBox error={factorWords.passkeyFailed} />}
      {byCode && (
        <Field
          label={factorWords.code}
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
          hint={challenge.factors.includes('totp') ? factorWords.codeHint : factorWords.recoveryHint}
          error={send.error && !send.isPending ? messageOf(send.error) : null}
        />
      )}
      {byCode && (
        <Button type="submit" look="primary" className="w-full" busy={send.isPending} disabled={code.trim() === ''}>
          {loginWords.submit}
        </Button>
      )}
      {challenge.passkey !== undefined && (
        <Button className="w-full" look={byCode ? 'plain' : 'primary'} onClick={() => void passkey()}>
          <KeyRound aria-hidden className="size-4" />
          {factorWords.usePasskey}
        </Button>
      )}
      {!byCode && send.error && <ErrorBox error={send.error} />}
      <Button look="quiet" className="w-full" onClick={() => onOver('')}>
        {loginWords.back}
      </Button>
    </form>
  );
}
