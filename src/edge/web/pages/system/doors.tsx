import { DoorClosed, Globe, ShieldCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import { getDoors, type Doors as DoorsState } from '#doors/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { doorsWords } from '../../strings/system.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<DoorsState['owner']['tls'], Tone>> = { off: 'neutral', made: 'good', given: 'good', proxy: 'accent' };

/** Where the program can be reached and how it is kept shut; how it behaves on the web. */
export function Doors() {
  const doors = useEndpoint(getDoors, {});
  if (doors.error && !doors.data)
    return (
      <div className="px-5 pb-4">
        <ErrorBox error={doors.error} onRetry={() => void doors.refetch()} />
      </div>
    );
  if (!doors.data) return <Skeleton lines={3} className="px-5 pb-4" />;
  const { owner, ingress, crawling } = doors.data;
  return (
    <ul>
      <Door icon={<ShieldCheck aria-hidden className="size-4" />} name={doorsWords.owner} url={owner.url}>
        <p className="flex flex-wrap gap-2">
          <Badge tone={owner.reach === 'network' ? 'accent' : 'good'}>{doorsWords.reach[owner.reach]}</Badge>
          <Badge tone={TONES[owner.tls]}>{doorsWords.tls[owner.tls]}</Badge>
          {owner.mutual && <Badge tone="good">{doorsWords.mutual}</Badge>}
        </p>
        {owner.certificate && <InUse certificate={owner.certificate} />}
        {owner.trustedProxies.length > 0 && (
          <p className="mt-1 text-[0.8125rem] text-ink-soft wrap-anywhere">{doorsWords.proxies(owner.trustedProxies.join(', '))}</p>
        )}
      </Door>
      <Door icon={<DoorClosed aria-hidden className="size-4" />} name={doorsWords.ingress} url={ingress.publicUrl ?? ingress.url}>
        <p>
          <Badge tone={ingress.reach === 'network' ? 'accent' : 'good'}>{doorsWords.reach[ingress.reach]}</Badge>
        </p>
      </Door>
      <Door icon={<Globe aria-hidden className="size-4" />} name={doorsWords.web} url={crawling.userAgent}>
        <p className="text-[0.8125rem] text-ink-soft">
          {crawling.robots ? doorsWords.guest(crawling.delayS) : doorsWords.rude(crawling.delayS)}
        </p>
        {crawling.resting.map(({ host, until, waiting }) => (
          <p key={host} className="mt-1 text-[0.8125rem] text-warn wrap-anywhere">
            {doorsWords.resting(host, waiting)} <Time at={until} />
          </p>
        ))}
        {crawling.refusals.length > 0 && (
          <Folded title={doorsWords.refusals(crawling.refusals.length)}>
            {() => (
              <ul className="space-y-1 text-[0.8125rem] text-ink-soft">
                {crawling.refusals.map(({ url, at }) => (
                  <li key={`${url} ${at}`} className="wrap-anywhere">
                    {url} <Time at={at} />
                  </li>
                ))}
              </ul>
            )}
          </Folded>
        )}
      </Door>
    </ul>
  );
}

interface DoorProps {
  readonly icon: ReactNode;
  readonly name: string;
  readonly url: string | null;
  readonly children: ReactNode;
}

function Door({ icon, name, url, children }: DoorProps) {
  return (
    <li className="border-t border-line px-5 py-4">
      <p className="mb-1.5 flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="text-ink-faint">{icon}</span>
        <span className="font-medium">{name}</span>
        {url !== null && <span className="font-mono text-[0.8125rem] text-ink-soft wrap-anywhere">{url}</span>}
      </p>
      {children}
    </li>
  );
}

function InUse({ certificate }: { readonly certificate: NonNullable<DoorsState['owner']['certificate']> }) {
  const { names, issuer, notAfter, daysLeft, problem } = certificate;
  return (
    <>
      <p className={`mt-1.5 text-[0.8125rem] wrap-anywhere ${daysLeft < 14 ? 'text-warn' : 'text-ink-soft'}`}>
        {doorsWords.inUse(names.join(', '), issuer)} <Time at={notAfter} />
      </p>
      {problem !== null && <p className="mt-1 text-[0.8125rem] text-bad wrap-anywhere">{doorsWords.notInUse(problem)}</p>}
    </>
  );
}
