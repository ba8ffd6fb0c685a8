import { Monitor } from 'lucide-react';
import { listSessions, revokeOtherSessions, revokeSession, type SessionInfo } from '#owner/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { securityWords } from '../../strings/security.ts';
import { doorsWords } from '../../strings/system.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { Row } from './row.tsx';

/** No event tells of logins elsewhere. */
const REFETCH_MS = 30_000;

export function Browsers() {
  const sessions = useEndpoint(listSessions, {}, { refetchMs: REFETCH_MS });
  const others = useAction(revokeOtherSessions, { done: ({ ended }) => securityWords.othersEnded(ended), refresh: [listSessions] });
  const hasOthers = (sessions.data?.items.length ?? 0) > 1;
  return (
    <Card
      title={securityWords.browsers}
      aside={
        hasOthers ? (
          <Button size="small" look="danger" busy={others.isPending} onClick={() => others.mutate({})}>
            {securityWords.logOutOthers}
          </Button>
        ) : (
          securityWords.browsersText
        )
      }
      flush
    >
      {sessions.error && !sessions.data && (
        <div className="px-5 pb-4">
          <ErrorBox error={sessions.error} onRetry={() => void sessions.refetch()} />
        </div>
      )}
      {sessions.isPending && <Skeleton lines={3} className="px-5 pb-4" />}
      <ul>
        {sessions.data?.items.map((session) => (
          <Session key={session.id} session={session} />
        ))}
      </ul>
    </Card>
  );
}

function Session({ session }: { readonly session: SessionInfo & { readonly isCurrent: boolean } }) {
  const end = useAction(revokeSession, { done: securityWords.sessionEnded, refresh: [listSessions] });
  const { id, device, address, certificate, via, factor, createdAt, lastSeenAt, expiresAt, isCurrent } = session;
  return (
    <Row
      icon={Monitor}
      title={
        <>
          {device}
          {isCurrent && <Badge tone="accent">{securityWords.thisOne}</Badge>}
        </>
      }
      text={
        <>
          <span>{address}</span>
          {certificate !== null && <span className="wrap-anywhere">{doorsWords.withCertificate(certificate)}</span>}
          <span>
            {securityWords.began} <Time at={createdAt} />, {securityWords.cameBy[via]} {factor !== null && securityWords.withFactor[factor]}
          </span>
          <span>
            {securityWords.seen} <Time at={lastSeenAt} />
          </span>
          <span>
            {securityWords.ends} <Time at={expiresAt} />
          </span>
        </>
      }
      actions={
        !isCurrent && (
          <Button
            size="small"
            busy={end.isPending}
            onClick={() => end.mutate({ id })}
            aria-label={`${securityWords.logOut}: ${device}, ${address}`}
          >
            {securityWords.logOut}
          </Button>
        )
      }
    />
  );
}
