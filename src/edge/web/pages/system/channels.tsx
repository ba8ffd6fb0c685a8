import { MessagesSquare, Send } from 'lucide-react';
import { listChannels, testChannel, type Channel } from '#channels/contract';
import { AppError } from '#core/errors';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { systemWords } from '../../strings/system.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<Channel['health']['state'], Tone>> = {
  off: 'neutral',
  connecting: 'accent',
  ok: 'good',
  failing: 'warn',
  broken: 'bad',
};

export function Channels() {
  const channels = useEndpoint(listChannels, {});
  if (channels.error && !channels.data)
    return (
      <div className="px-5 pb-4">
        {channels.error instanceof AppError && channels.error.code === 'http.not_found' ? (
          <p className="text-ink-soft">{systemWords.unavailable}</p>
        ) : (
          <ErrorBox error={channels.error} onRetry={() => void channels.refetch()} />
        )}
      </div>
    );
  if (!channels.data) return <Skeleton lines={3} className="px-5 pb-4" />;
  if (channels.data.items.length === 0)
    return (
      <Empty icon={MessagesSquare} title={systemWords.noChannels}>
        {systemWords.noChannelsText}
      </Empty>
    );
  return (
    <ul>
      {channels.data.items.map((channel) => (
        <li key={channel.id} className="border-t border-line px-5 py-4">
          <ChannelRow channel={channel} />
        </li>
      ))}
    </ul>
  );
}

function ChannelRow({ channel: { id, name, kind, account, paired, health } }: { readonly channel: Channel }) {
  const test = useAction(testChannel, { done: systemWords.testSent });
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span className="font-medium">{name}</span>
        <Badge tone={TONES[health.state]}>{systemWords.channelState[health.state]}</Badge>
        {health.state === 'ok' && paired > 0 && (
          <Button size="small" className="ml-auto" busy={test.isPending} onClick={() => test.mutate({ id })}>
            <Send aria-hidden className="size-3.5" />
            {systemWords.sendTest}
          </Button>
        )}
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
        {kind !== name && <span>{kind}</span>}
        {account !== null && <span className="wrap-anywhere">{account}</span>}
        <span>{systemWords.paired(paired)}</span>
        {health.lastHeardAt !== null && (
          <span>
            {systemWords.heard} <Time at={health.lastHeardAt} />
          </span>
        )}
      </p>
      {health.lastError !== null && health.state !== 'ok' && (
        <p className="mt-1 text-[0.8125rem] text-bad wrap-anywhere">{health.lastError.message}</p>
      )}
    </>
  );
}
