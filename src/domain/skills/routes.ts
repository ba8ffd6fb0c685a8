import { route, type Route } from '#core/endpoint';
import type { Json } from '#core/json';
import type { Catalogue } from './catalogue.ts';
import { getSkill, listSkills, runSkill } from './contract.ts';

export interface SkillRouteDeps {
  readonly catalogue: Catalogue;
  /** One attempt as a run of its own. */
  readonly tryOut: (request: {
    skill: string;
    input: Json;
    config: Json;
    prompt: string | null;
    dryRun: boolean;
    by: string;
    /** What that caller's credential carries. */
    held: ReadonlySet<string>;
    signal: AbortSignal;
  }) => Promise<{ runId: string; outcome: string; output: Json; labels: string[] }>;
}

export function skillRoutes({ catalogue, tryOut }: SkillRouteDeps): readonly Route[] {
  return [
    route(listSkills, async () => ({ items: [...catalogue.list()] })),
    route(getSkill, async ({ name }) => catalogue.info(name)),
    route(runSkill, ({ name, input = null, config = {}, prompt = null, dryRun }, { caller, signal }) =>
      tryOut({ skill: name, input, config, prompt, dryRun, by: caller.id, held: caller.grants, signal }),
    ),
  ];
}
