import { Monitor } from 'lucide-react';
import { listSessions, revokeOtherSessions, revokeSession, type SessionInfo } from '#owner/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
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
  const others = useAction(revokeOtherSessions, { done: ({ ended }) => t.security.othersEnded(ended), refresh: [listSessions] });
  const hasOthers = (sessions.data?.items.length ?? 0) > 1;
  return (
    <Card
      title={t.security.browsers}
      aside={
        hasOthers ? (
          <Button size="small" look="danger" busy={others.isPending} onClick={() => others.mutate({})}>
            {t.security.logOutOthers}
          </Button>
        ) : (
          t.security.browsersText
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
  const end = useAction(revokeSession, { done: t.security.sessionEnded, refresh: [listSessions] });
  const { id, device, address, certificate, via, factor, createdAt, lastSeenAt, expiresAt, isCurrent } = session;
  return (
    <Row
      icon={Monitor}
      title={
        <>
          {device}
          {isCurrent && <Badge tone="accent">{t.security.thisOne}</Badge>}
        </>
      }
      text={
        <>
          <span>{address}</span>
          {certificate !== null && <span className="wrap-anywhere">{t.doors.withCertificate(certificate)}</span>}
          <span>
            {t.security.began} <Time at={createdAt} />, {t.security.cameBy[via]} {factor !== null && t.security.withFactor[factor]}
          </span>
          <span>
            {t.security.seen} <Time at={lastSeenAt} />
          </span>
          <span>
            {t.security.ends} <Time at={expiresAt} />
          </span>
        </>
      }
      actions={
        !isCurrent && (
          <Button
            size="small"
            busy={end.isPending}
            onClick={() => end.mutate({ id })}
            aria-label={`${t.security.logOut}: ${device}, ${address}`}
          >
            {t.security.logOut}
          </Button>
        )
      }
    />
  );
}
