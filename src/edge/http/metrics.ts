import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RawRoute } from '#core/raw-route';
import type { Metric } from './ports.ts';

/** Upper ends of the duration classes, in seconds. */
const CLASSES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Tally {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: number[];
  count: number;
  sumS: number;
}

/** Counts what the server answers. Cheap: prom-client is loaded when somebody first asks for the figures. */
export interface Traffic {
  readonly count: (request: FastifyRequest, reply: FastifyReply) => void;
  readonly text: () => string;
}

export function createTraffic(): Traffic {
  const tallies = new Map<string, Tally>();

  function count(request: FastifyRequest, reply: FastifyReply): void {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'other', status: String(reply.statusCode) };
    const key = Object.values(labels).join(' ');
    const tally = tallies.get(key) ?? { labels, counts: CLASSES.map(() => 0), count: 0, sumS: 0 };
    tallies.set(key, tally);
    const seconds = reply.elapsedTime / 1000;
    tally.count += 1;
    tally.sumS += seconds;
    CLASSES.forEach((limit, at) => {
      if (seconds <= limit) tally.counts[at]! += 1;
    });
  }

  function text(): string {
    const name = 'castellan_http_request_duration_seconds';
    const lines = [...tallies.values()].flatMap(({ labels, counts, count: total, sumS }) => [
      ...CLASSES.map((le, at) => line(`${name}_bucket`, { ...labels, le: String(le) }, counts[at]!)),
      line(`${name}_bucket`, { ...labels, le: '+Inf' }, total),
      line(`${name}_sum`, labels, sumS),
      line(`${name}_count`, labels, total),
    ]);
    return family(name, 'How long requests took, by route.', 'histogram', lines);
  }

  return { count, text };
}

/** `GET /metrics`: the process, the traffic and what the modules count (Prometheus text format 0.0.4). */
export function metricsRoute(traffic: Traffic, metrics: () => readonly Metric[], version: string): RawRoute {
  let processFigures: Promise<() => Promise<string>> | undefined;

  return {
    method: 'GET',
    path: '/metrics',
    grant: 'metrics:read',
    summary: 'Figures of the process, of its traffic and of its modules, as Prometheus text.',
    async handle(_req, res) {
      processFigures ??= loadProcessFigures();
      const own = metrics().map(({ name, help, type, samples }) =>
        family(
          name,
          help,
          type,
          samples.map(({ labels = {}, value }) => line(name, labels, value)),
        ),
      );
      const info = family('castellan_info', 'The version that runs.', 'gauge', [line('castellan_info', { version }, 1)]);
      const text = [await (await processFigures)(), info, traffic.text(), ...own]
        .map((part) => part.trimEnd())
        .filter(Boolean)
        .join('\n');
      res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(`${text}\n`);
    },
  };
}

async function loadProcessFigures(): Promise<() => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return () => registry.metrics();
}

function family(name: string, help: string, type: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`, ...lines].join('\n');
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const inside = Object.entries(labels).map(
    ([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`;
}
