import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Breakers } from './breaker.ts';
import type { Skill, SkillInfo } from './contract.ts';

/** What the catalogue knows of an installed skill besides the skill. */
export interface InstalledFacts {
  readonly version: string;
  /** Why it does not run, or null. */
  readonly disabled: string | null;
}

/** Every skill there is, by name and alias. Installed ones come and go while the program runs. */
export interface Catalogue {
  find(name: string): Skill | undefined;
  /** Throws `skill.unknown` with the names that come close. */
  get(name: string): Skill;
  /** The same, and `skill.disabled` for one that may not run. */
  runnable(name: string): Skill;
  /** Puts an installed skill in, or in the place of its former self. Throws `skill.name_taken` for a name of a built-in one. */
  put(skill: Skill, facts: InstalledFacts): void;
  /** Takes an installed skill out. `why` is said to who asks for it from then on. */
  drop(name: string, why: string): void;
  /** What to say of a name that is not there. */
  absent(name: string): string;
  info(name: string): SkillInfo;
  list(): readonly SkillInfo[];
  /** Problems of a configuration, as field and message. */
  checkConfig(name: string, config: unknown): readonly { readonly field: string; readonly message: string }[];
}

export function createCatalogue(skills: readonly Skill[], breakers: Breakers): Catalogue {
  const byName = new Map<string, Skill>();
  const installed = new Map<string, InstalledFacts>();
  const gone = new Map<string, string>();
  for (const skill of skills) {
    for (const name of [skill.name, ...(skill.aliases ?? [])]) {
      if (byName.has(name)) throw new Error(`two skills are called ${name}`);
      byName.set(name, skill);
    }
  }

  function absent(name: string): string {
    const why = gone.get(name);
    if (why !== undefined) return `there is no skill "${name}": ${why}`;
    const close = [...byName.keys()].filter((known) => known.includes(name) || name.includes(known));
    return `there is no skill "${name}"${close.length > 0 ? `; did you mean ${close.join(' or ')}?` : ''}`;
  }

  function get(name: string): Skill {
    const skill = byName.get(name);
    if (skill) return skill;
    const message = absent(name);
    throw new AppError('not_found', 'skill.unknown', message[0]!.toUpperCase() + message.slice(1), { skill: name });
  }

  function runnable(name: string): Skill {
    const skill = get(name);
    const why = installed.get(skill.name)?.disabled ?? null;
    if (why !== null) throw new AppError('conflict', 'skill.disabled', `The skill "${name}" is disabled: ${why}`, { skill: name });
    return skill;
  }

  function describe(skill: Skill): SkillInfo {
    const facts = installed.get(skill.name);
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
      kind: facts ? 'installed' : 'built-in',
      version: facts?.version ?? null,
      disabled: facts?.disabled ?? null,
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
    runnable,
    absent,
    put(skill, facts) {
      if (byName.has(skill.name) && !installed.has(skill.name))
        throw new AppError(
          'conflict',
          'skill.name_taken',
          `"${skill.name}" is a skill of the program: give yours another name in skill.json`,
          {
            skill: skill.name,
          },
        );
      byName.set(skill.name, skill);
      installed.set(skill.name, facts);
      gone.delete(skill.name);
    },
    drop(name, why) {
      if (byName.has(name) && !installed.delete(name)) return;
      byName.delete(name);
      gone.set(name, why);
    },
    info: (name) => describe(get(name)),
    list: () => [...new Set(byName.values())].map(describe),
    checkConfig(name, config) {
      const result = get(name).config.safeParse(config);
      return result.success ? [] : result.error.issues.flatMap(problems);
    },
  };
}

/** An option that is not known is a problem of that field, not of them all. */
function problems(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const at = (...more: string[]): string => [...issue.path.map(String), ...more].join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ field: at(key), message: 'there is no such option' }));
  return [{ field: at(), message: issue.message }];
}

function toSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}
