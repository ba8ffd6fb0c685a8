import { Cpu, Zap } from 'lucide-react';
import { listProviders, testProvider, type ProviderInfo } from '#llm/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { systemWords } from '../../strings/system.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Money } from '../../ui/money.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<ProviderInfo['health']['state'], Tone>> = { healthy: 'good', cooling: 'warn', unhealthy: 'bad' };

export function Providers() {
  const providers = useEndpoint(listProviders, {});
  if (providers.error && !providers.data)
    return (
      <div className="px-5 pb-4">
        <ErrorBox error={providers.error} onRetry={() => void providers.refetch()} />
      </div>
    );
  if (!providers.data) return <Skeleton lines={3} className="px-5 pb-4" />;
  const on = providers.data.items.filter(({ enabled }) => enabled);
  const off = providers.data.items.filter(({ enabled }) => !enabled);
  return (
    <>
      {on.length === 0 && (
        <Empty icon={Cpu} title={systemWords.noProviders}>
          {systemWords.noProvidersText}
        </Empty>
      )}
      <List providers={on} />
      {off.length > 0 && (
        <Folded title={systemWords.providersOff(off.length)} className="border-t border-line pt-2 [&>summary]:px-5">
          {() => <List providers={off} />}
        </Folded>
      )}
    </>
  );
}

function List({ providers }: { readonly providers: readonly ProviderInfo[] }) {
  return (
    <ul>
      {providers.map((provider) => (
        <li key={provider.id} className="border-t border-line px-5 py-4">
          <Provider provider={provider} />
        </li>
      ))}
    </ul>
  );
}

function Provider({ provider }: { readonly provider: ProviderInfo }) {
  const test = useAction(testProvider, { refresh: [listProviders] });
  const { id, name, model, health, enabled, local, tiers } = provider;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span className="font-medium">{name}</span>
        {enabled ? <Badge tone={TONES[health.state]}>{systemWords.providerState[health.state]}</Badge> : <Badge>{systemWords.off}</Badge>}
        {local && <Badge>{systemWords.local}</Badge>}
        <Button size="small" className="ml-auto" busy={test.isPending} onClick={() => test.mutate({ id })}>
          <Zap aria-hidden className="size-3.5" />
          {systemWords.test}
        </Button>
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
        <span className="wrap-anywhere">{model || systemWords.noModel}</span>
        {tiers.length > 0 && <span>{tiers.join(', ')}</span>}
        <span>{systemWords.callsToday(provider.callsToday, provider.dailyCallLimit)}</span>
      </p>
      {health.message !== null && health.state !== 'healthy' && (
        <p className="mt-1 text-[0.8125rem] text-bad wrap-anywhere">
          {health.message}
          {health.retryAt !== null && (
            <span className="text-ink-soft">
              {' '}
              {systemWords.retry} <Time at={health.retryAt} />.
            </span>
          )}
        </p>
      )}
      <div role="status">
        {test.data &&
          (test.data.ok ? (
            <p className="mt-1.5 text-[0.8125rem] text-good">
              {systemWords.testOk(Math.round(test.data.latencyMs))}
              {test.data.reply !== null && <span className="text-ink-soft"> “{test.data.reply}” </span>}
              <Money usd={test.data.costUsd} />
            </p>
          ) : (
            <p className="mt-1.5 text-[0.8125rem] text-bad wrap-anywhere">{test.data.error?.message}</p>
          ))}
      </div>
    </>
  );
}
