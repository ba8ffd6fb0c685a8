import { MessagesSquare } from 'lucide-react';
import { listDevices, revokeDevice, type Device } from '#owner/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { securityWords } from '../../strings/security.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { Row } from './row.tsx';

/** Chats of other platforms that speak as the owner. */
export function Senders() {
  const devices = useEndpoint(listDevices, {});
  const senders = devices.data?.items.filter(({ kind }) => kind === 'sender');
  return (
    <Card title={securityWords.senders} aside={securityWords.sendersText} flush>
      {devices.error && !devices.data && (
        <div className="px-5 pb-4">
          <ErrorBox error={devices.error} onRetry={() => void devices.refetch()} />
        </div>
      )}
      {devices.isPending && <Skeleton lines={2} className="px-5 pb-4" />}
      {senders?.length === 0 && <p className="px-5 pb-3 text-ink-soft">{securityWords.sendersNone}</p>}
      <ul>
        {senders?.map((sender) => (
          <Sender key={sender.id} sender={sender} />
        ))}
      </ul>
    </Card>
  );
}

function Sender({ sender: { id, name, detail, createdAt, lastSeenAt } }: { readonly sender: Device }) {
  const unpair = useAction(revokeDevice, { done: securityWords.unpaired, refresh: [listDevices] });
  return (
    <Row
      icon={MessagesSquare}
      title={name}
      text={
        <>
          <span>{detail}</span>
          {createdAt !== null && (
            <span>
              {securityWords.appSince} <Time at={createdAt} />
            </span>
          )}
          {lastSeenAt !== null && (
            <span>
              {securityWords.seen} <Time at={lastSeenAt} />
            </span>
          )}
        </>
      }
      actions={
        <Button
          size="small"
          look="danger"
          busy={unpair.isPending}
          onClick={() => unpair.mutate({ id })}
          aria-label={`${securityWords.unpair} ${name}`}
        >
          {securityWords.unpair}
        </Button>
      }
    />
  );
}
