import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Breakers } from './breaker.ts';
import type { Skill, SkillInfo } from './contract.ts';

/** Every skill there is, by name and alias. */
export interface Catalogue {
  find(name: string): Skill | undefined;
  /** Throws `skill.unknown` with the names that come close. */
  get(name: string): Skill;
  info(name: string): SkillInfo;
  list(): readonly SkillInfo[];
  /** Problems of a configuration, as field and message. */
  checkConfig(name: string, config: unknown): readonly { readonly field: string; readonly message: string }[];
}

export function createCatalogue(skills: readonly Skill[], breakers: Breakers): Catalogue {
  const byName = new Map<string, Skill>();
  for (const skill of skills) {
    for (const name of [skill.name, ...(skill.aliases ?? [])]) {
      if (byName.has(name)) throw new Error(`two skills are called ${name}`);
      byName.set(name, skill);
    }
  }

  function get(name: string): Skill {
    const skill = byName.get(name);
    if (skill) return skill;
    const close = [...byName.keys()].filter((known) => known.includes(name) || name.includes(known));
    throw new AppError(
      'not_found',
      'skill.unknown',
      `There is no skill "${name}"${close.length > 0 ? `; did you mean ${close.join(' or ')}?` : ''}`,
      { skill: name },
    );
  }

  function describe(skill: Skill): SkillInfo {
    const { state, failures, until } = breakers.state(`skill:${skill.name}`);
    return {
      name: skill.name,
      aliases: [...(skill.aliases ?? [])],
      title: skill.title,
      description: skill.description,
      outcomes: [...skill.outcomes],
      grants: [...skill.grants],
      external: skill.external,
      timeoutMs: skill.timeoutMs,
      kind: 'built-in',
      stepFields: [...skill.stepFields],
      asTool: skill.asTool ?? true,
      configSchema: toSchema(skill.config),
      inputSchema: toSchema(skill.input),
      outputSchema: toSchema(skill.output),
      presets: { ...skill.presets },
      breaker: { state, failures, until: until === null ? null : new Date(until).toISOString() },
    };
  }

  return {
    find: (name) => byName.get(name),
    get,
    info: (name) => describe(get(name)),
    list: () => skills.map(describe),
    checkConfig(name, config) {
      const result = get(name).config.safeParse(config);
      return result.success ? [] : result.error.issues.map(({ path, message }) => ({ field: path.map(String).join('.'), message }));
    },
  };
}

function toSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}
