import type { Bus } from '#core/bus';
import type { Metric } from '../edge/http/index.ts';

/** Counts what the bus tells, for the metrics page; from zero at each start, as Prometheus expects of counters. */
export function countEvents(bus: Bus): () => readonly Metric[] {
  const counts = new Map<string, { readonly metric: string; readonly labels: Record<string, string>; value: number }>();
  const open = new Set<string>();

  function add(metric: string, labels: Record<string, string>, by = 1): void {
    const key = JSON.stringify([metric, labels]);
    const count = counts.get(key) ?? { metric, labels, value: 0 };
    count.value += by;
    counts.set(key, count);
  }

  const forLife = new AbortController().signal;
  bus.subscribe('run.ended', ({ run }) => add('castellan_runs_ended_total', { kind: run.kind, status: run.status }), forLife);
  bus.subscribe('schedule.fired', ({ occurrence }) => add('castellan_schedules_fired_total', { status: occurrence.status }), forLife);
  bus.subscribe(
    'llm.settled',
    ({ provider, status, costUsd }) => {
      add('castellan_llm_calls_total', { provider, status });
      add('castellan_llm_cost_usd_total', { provider }, costUsd);
    },
    forLife,
  );
  bus.subscribe('breaker.changed', ({ key, state }) => void (state === 'open' ? open.add(key) : open.delete(key)), forLife);

  const samples = (metric: string): Metric['samples'] =>
    [...counts.values()].filter((it) => it.metric === metric).map(({ labels, value }) => ({ labels, value }));
  return () => [
    {
      name: 'castellan_runs_ended_total',
      help: 'Runs that ended, by kind and status.',
      type: 'counter',
      samples: samples('castellan_runs_ended_total'),
    },
    {
      name: 'castellan_schedules_fired_total',
      help: 'Occurrences of schedules that were started.',
      type: 'counter',
      samples: samples('castellan_schedules_fired_total'),
    },
    {
      name: 'castellan_llm_calls_total',
      help: 'Model calls, by provider and how they ended.',
      type: 'counter',
      samples: samples('castellan_llm_calls_total'),
    },
    {
      name: 'castellan_llm_cost_usd_total',
      help: 'Cost of model calls in USD.',
      type: 'counter',
      samples: samples('castellan_llm_cost_usd_total'),
    },
    { name: 'castellan_breakers_open', help: 'Skills and hosts that are left alone now.', type: 'gauge', samples: [{ value: open.size }] },
  ];
}
