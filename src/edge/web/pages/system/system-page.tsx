import { getHealth } from '../../api/health.ts';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { doorsWords, systemWords } from '../../strings/system.ts';
import { Badge } from '../../ui/badge.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Certificates } from './certificates.tsx';
import { Channels } from './channels.tsx';
import { Doors } from './doors.tsx';
import { Feeds } from './feeds.tsx';
import { Providers } from './providers.tsx';
import { Tree } from './tree.tsx';

/** No event tells of uptimes and restarts, so they are asked for. */
const REFETCH_MS = 3_000;

export function SystemPage() {
  const health = useEndpoint(getHealth, {}, { refetchMs: REFETCH_MS });
  return (
    <>
      <PageHead title={systemWords.title} text={health.data && systemWords.version(health.data.version)}>
        {health.data && (
          <Badge tone={health.data.status === 'ok' ? 'good' : 'bad'}>
            {health.data.status === 'ok' ? systemWords.allWell : systemWords.degraded}
          </Badge>
        )}
      </PageHead>
      <div className="space-y-5">
        <Card title={systemWords.providers} aside={systemWords.providersText} flush>
          <Providers />
        </Card>
        <Card title={systemWords.channels} aside={systemWords.channelsText} flush>
          <Channels />
        </Card>
        <Card title={systemWords.feeds} aside={systemWords.feedsText} flush>
          <Feeds />
        </Card>
        <Card title={doorsWords.title} aside={doorsWords.text} flush>
          <Doors />
        </Card>
        <Certificates />
        <Card title={systemWords.tree} aside={systemWords.treeText} flush>
          {health.error && (
            <div className="px-5 pb-4">
              <ErrorBox error={health.error} onRetry={() => void health.refetch()} />
            </div>
          )}
          {health.isPending && <Skeleton lines={8} className="px-5 pb-4" />}
          {health.data?.tree && <Tree root={health.data.tree} />}
        </Card>
      </div>
    </>
  );
}
