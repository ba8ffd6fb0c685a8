import { isLoopback, type Config } from '#core/config';
import type { Clock } from '#core/clock';
import type { GuardedFetch } from '#core/fetch';
import type { Doors } from '#doors/contract';
import type { Settings } from '#settings';
import type { Listener, OwnerListener } from '../edge/http/index.ts';
import { mannersOf } from './manners.ts';

const DAY_MS = 86_400_000;

export interface DoorFacts {
  readonly config: Config;
  readonly clock: Clock;
  readonly http: OwnerListener;
  readonly ingress: Listener;
  readonly web: Pick<GuardedFetch, 'crawling'>;
  readonly settings: Pick<Settings, 'get'>;
}

/** The doors as the running program knows them. */
export function describeDoors({ config, clock, http, ingress, web, settings }: DoorFacts): Doors {
  const { host, ingressHost, tls, trustedProxies, hostNames, publicUrl = null } = config;
  const reachOf = (address: string) => (isLoopback(address) ? ('machine' as const) : ('network' as const));
  const { userAgent, robots, delayMs } = mannersOf(settings);
  const { resting, refusals } = web.crawling();
  const used = http.tls();
  return {
    owner: {
      url: http.browserUrl(),
      reach: reachOf(host),
      tls: tls ? (tls.isMade ? 'made' : 'given') : trustedProxies.length > 0 ? 'proxy' : 'off',
      mutual: tls?.clientCaFile !== undefined,
      names: [...hostNames],
      trustedProxies: [...trustedProxies],
      certificate: used && {
        names: [...used.facts.names],
        issuer: used.facts.issuer,
        fingerprint: used.facts.fingerprint,
        notAfter: iso(used.facts.notAfter),
        daysLeft: Math.floor((used.facts.notAfter - clock.now()) / DAY_MS),
        problem: used.problem,
      },
    },
    ingress: { url: ingress.address()?.url ?? null, reach: reachOf(ingressHost), publicUrl },
    crawling: {
      userAgent,
      robots,
      delayS: delayMs / 1_000,
      resting: resting.map(({ host: name, untilMs, waiting }) => ({ host: name, until: iso(untilMs), waiting })),
      refusals: refusals.map(({ url, at }) => ({ url, at: iso(at) })).toReversed(),
    },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
