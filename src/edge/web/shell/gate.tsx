import { lazy, Suspense, useState } from 'react';
import { useSession } from '../api/use-session.ts';
import { ErrorBox } from '../ui/error-box.tsx';
import { Shell } from './shell.tsx';

const LoginPage = lazy(() => import('../pages/login/login-page.tsx').then(({ LoginPage: page }) => ({ default: page })));
const PasswordPage = lazy(() => import('../pages/login/password-page.tsx').then(({ PasswordPage: page }) => ({ default: page })));

/** Lets in who is logged in and has a password; the others see how to get there. `code` is of a login link. */
export function Gate({ code }: { readonly code: string | null }) {
  const session = useSession();
  const [isCodeUsed, setCodeUsed] = useState(false);
  if (session.error && !session.data)
    return (
      <div className="mx-auto mt-24 max-w-md px-4">
        <ErrorBox error={session.error} onRetry={() => void session.refetch()} />
      </div>
    );
  if (!session.data) return null;
  const { authenticated, passwordSet, passkeys } = session.data;
  const pending = isCodeUsed ? null : code;
  if (authenticated && passwordSet && pending === null) return <Shell />;
  return (
    <Suspense fallback={null}>
      {authenticated && !passwordSet && pending === null ? (
        <PasswordPage />
      ) : (
        <LoginPage code={pending} passwordSet={passwordSet} passkeys={passkeys} onCodeUsed={() => setCodeUsed(true)} />
      )}
    </Suspense>
  );
}
