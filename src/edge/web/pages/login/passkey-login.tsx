import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { AppError } from '#core/errors';
import { beginPasskeyLogin, loginWithPasskey } from '#owner/contract';
import { useApi } from '../../api/api.ts';
import { signWithPasskey } from '../../api/passkey.ts';
import { useEnter } from '../../api/use-session.ts';
import { factorWords } from '../../strings/factor.ts';
import { loginWords } from '../../strings/login.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';

/** In without a password: the authenticator knows its owner by a finger, a face or a PIN. */
export function PasskeyLogin() {
  const { client } = useApi();
  const enter = useEnter();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function enterByPasskey(): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      const { challenge, options } = await client.call(beginPasskeyLogin, {});
      enter(await client.call(loginWithPasskey, { challenge, passkey: await signWithPasskey(options) }));
    } catch (thrown) {
      setError(thrown instanceof AppError ? thrown : factorWords.passkeyFailed);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="mt-5 border-t border-line pt-5">
      {error !== null && (
        <div className="mb-4">
          <ErrorBox error={error} />
        </div>
      )}
      <Button className="w-full" busy={isBusy} onClick={() => void enterByPasskey()}>
        <KeyRound aria-hidden className="size-4" />
        {loginWords.passkey}
      </Button>
    </div>
  );
}
