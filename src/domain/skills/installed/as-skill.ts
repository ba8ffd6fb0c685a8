import type { Json } from '#core/json';
import type { Skill, SkillCall, SkillResult } from '../contract.ts';
import type { Manifest } from './manifest.ts';
import { toZod } from './schema-subset.ts';

/** An installed skill in the shape of a built-in one: the same runner, policy, breakers and labels hold for both. */
export function asSkill(manifest: Manifest, run: (call: SkillCall<Json, Json>) => Promise<SkillResult>): Skill {
  const { name, title, description, outcomes, grants, timeoutMs } = manifest;
  return {
    name,
    title: title ?? name,
    description,
    config: toZod(manifest.config)!,
    input: toZod(manifest.input)!,
    output: toZod(manifest.output)!,
    outcomes,
    grants,
    // A stranger wrote it: whatever it says may be meant for a model.
    external: true,
    foreign: true,
    timeoutMs,
    stepFields: grants.includes('llm:call') ? ['tier', 'provider', 'model', 'prompt', 'config'] : ['prompt', 'config'],
    run: (call) => run(call as SkillCall<Json, Json>),
  };
}
