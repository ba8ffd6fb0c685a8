import { Terminal } from 'lucide-react';
import { useState } from 'react';
import { listTokens, revokeToken, type TokenInfo } from '#owner/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { securityWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { NewToken } from './new-token.tsx';
import { Row } from './row.tsx';

export function Tokens() {
  const tokens = useEndpoint(listTokens, {});
  const [isMaking, setMaking] = useState(false);
  return (
    <Card
      title={securityWords.tokens}
      aside={
        <Button size="small" onClick={() => setMaking(true)}>
          {securityWords.newToken}
        </Button>
      }
      flush
    >
      {tokens.error && !tokens.data && (
        <div className="px-5 pb-4">
          <ErrorBox error={tokens.error} onRetry={() => void tokens.refetch()} />
        </div>
      )}
      {tokens.isPending && <Skeleton lines={2} className="px-5 pb-4" />}
      {tokens.data?.items.length === 0 && (
        <p className="px-5 pb-3 text-ink-soft">
          {securityWords.tokensText} {securityWords.tokensNone}
        </p>
      )}
      <ul>
        {tokens.data?.items.map((token) => (
          <Token key={token.id} token={token} />
        ))}
      </ul>
      {isMaking && <NewToken onClose={() => setMaking(false)} />}
    </Card>
  );
}

function Token({ token: { id, name, grants, isExpired, expiresAt, lastUsedAt, ratePerMinute } }: { readonly token: TokenInfo }) {
  const revoke = useAction(revokeToken, { done: securityWords.tokenRevoked, refresh: [listTokens] });
  return (
    <Row
      icon={Terminal}
      title={
        <>
          {name}
          {isExpired && <Badge tone="bad">{securityWords.expired}</Badge>}
        </>
      }
      text={
        <>
          <span className="font-mono">{grants.join(' ')}</span>
          <span>
            {expiresAt === null ? (
              securityWords.endless
            ) : (
              <>
                {securityWords.ends} <Time at={expiresAt} />
              </>
            )}
          </span>
          <span>
            {lastUsedAt === null ? (
              securityWords.never
            ) : (
              <>
                {securityWords.used} <Time at={lastUsedAt} />
              </>
            )}
          </span>
          {ratePerMinute !== null && <span>{securityWords.rate(ratePerMinute)}</span>}
        </>
      }
      actions={
        <Button
          size="small"
          look="danger"
          busy={revoke.isPending}
          onClick={() => revoke.mutate({ id })}
          aria-label={`${securityWords.remove} ${name}`}
        >
          {securityWords.remove}
        </Button>
      }
    />
  );
}
