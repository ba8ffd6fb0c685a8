import { Rss } from 'lucide-react';
import { listFeeds, type Feed } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { systemWords } from '../../strings/system.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<Feed['state'], Tone>> = { new: 'neutral', ok: 'good', failing: 'bad' };

export function Feeds() {
  const feeds = useEndpoint(listFeeds, {});
  if (feeds.error && !feeds.data)
    return (
      <div className="px-5 pb-4">
        <ErrorBox error={feeds.error} onRetry={() => void feeds.refetch()} />
      </div>
    );
  if (!feeds.data) return <Skeleton lines={3} className="px-5 pb-4" />;
  if (feeds.data.items.length === 0)
    return (
      <Empty icon={Rss} title={systemWords.noFeeds}>
        {systemWords.noFeedsText}
      </Empty>
    );
  return (
    <ul>
      {feeds.data.items.map((feed) => (
        <li key={feed.url} className="border-t border-line px-5 py-3">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-medium wrap-anywhere">{feed.name ?? feed.url}</span>
            <Badge tone={TONES[feed.state]}>{systemWords.feedState[feed.state]}</Badge>
          </div>
          <p className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
            <span className="wrap-anywhere">{feed.url}</span>
            <span>{feed.workflows.join(', ')}</span>
            {feed.lastOkAt !== null && (
              <span>
                {systemWords.lastRead} <Time at={feed.lastOkAt} />
              </span>
            )}
          </p>
          {feed.state === 'failing' && (
            <p className="mt-1 text-[0.8125rem] text-bad wrap-anywhere">
              {systemWords.failures(feed.failures)} {feed.lastError}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
