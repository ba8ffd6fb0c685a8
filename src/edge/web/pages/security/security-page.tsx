import { getFactors } from '#owner/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { securityWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Authenticator } from './authenticator.tsx';
import { Browsers } from './browsers.tsx';
import { Passkeys } from './passkeys.tsx';
import { Password } from './password.tsx';
import { Recovery } from './recovery.tsx';
import { Scan } from './scan.tsx';
import { Senders } from './senders.tsx';
import { Tokens } from './tokens.tsx';

export function SecurityPage() {
  const factors = useEndpoint(getFactors, {});
  const isGuarded = factors.data && (factors.data.totp !== null || factors.data.passkeys.length > 0);
  return (
    <>
      <PageHead title={securityWords.title} text={securityWords.text}>
        {isGuarded !== undefined && (
          <Badge tone={isGuarded ? 'good' : 'warn'}>{isGuarded ? securityWords.guarded : securityWords.unguarded}</Badge>
        )}
      </PageHead>
      <div className="space-y-5">
        <Card title={securityWords.factors} aside={securityWords.factorsText} flush>
          {factors.error && !factors.data && (
            <div className="px-5 pb-4">
              <ErrorBox error={factors.error} onRetry={() => void factors.refetch()} />
            </div>
          )}
          {factors.isPending && <Skeleton lines={5} className="px-5 pb-4" />}
          {factors.data && (
            <ul>
              <Authenticator totp={factors.data.totp} />
              <Passkeys passkeys={factors.data.passkeys} name={factors.data.passkeyName} />
              <Recovery codes={factors.data.recoveryCodes} />
              <Password />
            </ul>
          )}
        </Card>
        <Browsers />
        <Tokens />
        <Senders />
        <Scan />
      </div>
    </>
  );
}
