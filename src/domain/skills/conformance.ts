import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import type { Json } from '#core/json';
import type { Skill, SkillResult } from './contract.ts';
import { testContext, type TestContext, type World } from './testing.ts';

/** One run of a skill and how it must end. */
export interface Case {
  readonly name: string;
  readonly config?: Json;
  readonly input?: Json;
  readonly world?: World;
  readonly outcome: string;
}

export interface Subject {
  readonly skill: Skill;
  /** The first one waits for something outside; together they reach every outcome. */
  readonly cases: readonly [Case, ...Case[]];
}

/** What every skill promises, built-in or installed. */
export function conform({ skill, cases }: Subject): void {
  describe(`skill ${skill.name}`, () => {
    it('says what it is in a form that editors and models can read', () => {
      for (const name of [skill.name, ...(skill.aliases ?? [])]) assert.match(name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      assert.ok(skill.title.length > 0 && skill.title.length <= 40);
      assert.match(skill.description, /^[A-Z].*\.$/);
      assert.ok(skill.timeoutMs > 0 && Number.isFinite(skill.timeoutMs));
      for (const schema of [skill.config, skill.input, skill.output])
        assert.ok(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'throw' }));
      const { properties = {} } = z.toJSONSchema(skill.config, { io: 'input' }) as {
        properties?: Record<string, { description?: string }>;
      };
      for (const [field, { description }] of Object.entries(properties)) assert.ok(description, `${field} has no description`);
    });

    it('declares each outcome once, apart from those that every skill has', () => {
      assert.equal(new Set(skill.outcomes).size, skill.outcomes.length);
      for (const outcome of skill.outcomes) assert.match(outcome, /^on_(?!error$|timeout$)[a-z0-9_]+$/);
      assert.deepEqual(
        [...new Set(cases.map(({ outcome }) => outcome))].toSorted(),
        [...skill.outcomes].toSorted(),
        'the cases reach every outcome',
      );
    });

    it('does with no configuration, refuses one it does not know, and offers presets that fit', () => {
      assert.ok(skill.config.safeParse({}).success);
      assert.ok(!skill.config.safeParse({ nobody_knows_this: 1 }).success);
      for (const [title, preset] of Object.entries(skill.presets ?? {})) {
        const result = skill.config.safeParse(preset.config ?? {});
        assert.ok(result.success, `${title}: ${result.error?.message}`);
        for (const field of Object.keys(preset))
          assert.ok(skill.stepFields.includes(field as 'config'), `${title} sets ${field}, which the skill does not use`);
      }
    });

    for (const each of cases) {
      it(`${each.name}: ends as ${each.outcome} with the output it declares, and within its grants`, async () => {
        const { result, context } = await run(skill, each);
        assert.equal(result.outcome, each.outcome);
        assert.ok(skill.output.safeParse(result.output).success);
        for (const json of [result.output, result.onRunSucceeded ?? []]) assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
        const used = new Set([
          ...context.used,
          ...(result.onRunSucceeded ?? []).flatMap(({ kind }) => (kind.startsWith('memory.') ? ['memory:write'] : [])),
        ]);
        assert.deepEqual(
          [...used].filter((capability) => !skill.grants.includes(capability)),
          [],
        );
        if (context.used.has('net:fetch')) assert.ok(skill.external, 'what brings text from outside is external');
      });

      it(`${each.name}: a dry run changes nothing`, async () => {
        const { result, context } = await run(skill, { ...each, world: { ...each.world, dryRun: true } });
        assert.ok(skill.outcomes.includes(result.outcome));
        assert.deepEqual([context.performed, context.sent, context.added], [[], [], []]);
      });
    }

    it('stops when it is told to, whatever it waits for', { timeout: 5_000 }, async () => {
      const stop = new AbortController();
      const { name } = new Error('stop');
      const going = run(skill, { ...cases[0], world: { ...cases[0].world, silent: true, signal: stop.signal } });
      const ended = assert.rejects(going, { name, message: 'stop' });
      await new Promise((resolve) => setImmediate(resolve));
      stop.abort(new Error('stop'));
      await ended;
    });
  });
}

async function run(skill: Skill, { config = {}, input = null, world = {} }: Case): Promise<{ result: SkillResult; context: TestContext }> {
  const context = testContext({ ...world, input });
  const result = await skill.run({ config: freeze(skill.config.parse(config)), input: freeze(skill.input.parse(input)), context });
  return { result, context };
}

/** A skill gets values of others and changes none of them. */
function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
