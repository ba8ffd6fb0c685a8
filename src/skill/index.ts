// The SDK of installed skills: `import { skill } from '#skill'`. No dependencies; it runs in deno, and under Node for tests.
import type { SkillContext } from './context.ts';
import type { Json } from './protocol.ts';

export type * from './context.ts';
export { SkillError } from './error.ts';
export { PROTOCOL } from './protocol.ts';
export type { FromSkill, Json, Resource, Start, ToSkill, WireError } from './protocol.ts';

/** What a run of the skill is given; both were checked by the manifest's schemas. */
export interface SkillCall<Input, Config> {
  readonly input: Input;
  readonly config: Config;
  readonly context: SkillContext;
}

/** How it ended: one of the manifest's outcomes, and an output of its schema. */
export interface SkillResult {
  readonly outcome: string;
  readonly output: Json;
}

export interface Skill<Input = Json, Config = Json> {
  run(call: SkillCall<Input, Config>): Promise<SkillResult> | SkillResult;
}

/** Types a skill: `export default skill({ async run({ input, config, context }) { … } })`. */
export function skill<Input = Json, Config = Json>(it: Skill<Input, Config>): Skill<Input, Config> {
  return it;
}
