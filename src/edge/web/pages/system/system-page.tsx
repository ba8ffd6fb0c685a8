import { getHealth } from '../../api/health.ts';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { t } from '../../strings.ts';
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
      <PageHead title={t.system.title} text={health.data && t.system.version(health.data.version)}>
        {health.data && (
          <Badge tone={health.data.status === 'ok' ? 'good' : 'bad'}>
            {health.data.status === 'ok' ? t.system.allWell : t.system.degraded}
          </Badge>
        )}
      </PageHead>
      <div className="space-y-5">
        <Card title={t.system.tree} aside={t.system.treeText} flush>
          {health.error && (
            <div className="px-5 pb-4">
              <ErrorBox error={health.error} onRetry={() => void health.refetch()} />
            </div>
          )}
          {health.isPending && <Skeleton lines={8} className="px-5 pb-4" />}
          {health.data?.tree && <Tree root={health.data.tree} />}
        </Card>
        <Card title={t.system.providers} aside={t.system.providersText} flush>
          <Providers />
        </Card>
        <Card title={t.system.channels} aside={t.system.channelsText} flush>
          <Channels />
        </Card>
        <Card title={t.system.feeds} aside={t.system.feedsText} flush>
          <Feeds />
        </Card>
        <Card title={t.doors.title} aside={t.doors.text} flush>
          <Doors />
        </Card>
        <Certificates />
      </div>
    </>
  );
}
