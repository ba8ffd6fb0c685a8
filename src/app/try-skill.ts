import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { errorInfo } from '#core/errors';
import type { Runs } from '#runs';
import type { Label } from '#runs/contract';
import { addressesIn, type SkillRouteDeps } from '#skills';
import type { SkillRunner } from '#skills/contract';
import { createHandles } from '#vault';
import type { Templates } from '#workflows';

/** One attempt at one skill as a run of its own, with its effects, cost and journal. */
export function trySkill(deps: {
  readonly store: Store;
  readonly runs: Runs;
  readonly runner: SkillRunner;
  readonly templates: Templates;
  readonly clock: Clock;
}): SkillRouteDeps['tryOut'] {
  const { store, runs, runner, templates, clock } = deps;
  return async ({ skill, input, config, prompt, dryRun, by, held, signal }) => {
    const labels = by === 'owner' || by === 'cli' ? (['owner'] as const) : [];
    const taken = new Set<Label>(labels);
    const { run } = await store.write((tx) =>
      runs.create(tx, {
        kind: 'skill',
        title: skill,
        status: 'running',
        trigger: { kind: by === 'owner' || by === 'cli' ? 'owner' : 'api', by },
        dryRun,
        input,
        labels,
      }),
    );
    const end = (set: { status: 'succeeded' | 'failed'; outcome?: string; output?: string; error?: string }): Promise<unknown> =>
      store.write((tx) => runs.change(tx, run.id, { ...set, labels: JSON.stringify([...taken]), ended_at: clock.now() }));
    try {
      const render = (template: string, extra: Readonly<Record<string, unknown>> = {}): Promise<string> =>
        templates.render(template, { input, ...extra });
      // only what the owner writes is resolved: a token that may try skills does not come to secrets by it
      const handles = by === 'owner' || by === 'cli' ? createHandles() : null;
      const result = await runner.run({
        skill,
        config: handles ? handles.hold(config) : config,
        ...(handles && { handles }),
        input,
        prompt,
        signal,
        llm: [],
        step: 'skill',
        onBehalf: { chain: [by], held },
        labels,
        took: ({ label }) => void taken.add(label),
        resources: [],
        render,
        ownAddresses: addressesIn(config),
        run: { id: run.id, workflowId: null, dryRun },
      });
      result.labels?.forEach((label) => taken.add(label));
      await end({ status: 'succeeded', outcome: result.outcome, output: JSON.stringify(result.output) });
      return { runId: run.id, outcome: result.outcome, output: result.output, labels: [...(result.labels ?? [])] };
    } catch (error) {
      await end({ status: 'failed', outcome: 'on_error', error: JSON.stringify(errorInfo(error)) });
      throw error;
    }
  };
}
