import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Breakers } from './breaker.ts';
import { createCatalogue } from './catalogue.ts';
import { skill, type Skill } from './contract.ts';

const breakers: Pick<Breakers, 'state'> = {
  state: (key) => (key === 'skill:greet' ? { state: 'open', failures: 3, until: 60_000 } : { state: 'closed', failures: 0, until: null }),
};

function made(over: Partial<Skill> = {}): Skill {
  return skill({
    name: 'greet',
    aliases: ['hello'],
    title: 'Greet',
    description: 'Says hello.',
    config: z.strictObject({ name: z.string().min(1).default('you').describe('Whom'), times: z.int().min(1).optional() }),
    input: z.null(),
    output: z.string(),
    outcomes: ['on_success'],
    grants: ['llm:call'],
    external: false,
    timeoutMs: 1_000,
    stepFields: ['config'],
    presets: { Loud: { config: { times: 3 } } },
    run: async ({ config }) => ({ outcome: 'on_success', output: `Hello ${config.name}` }),
    ...over,
  } as Skill<z.ZodObject<{ name: z.ZodDefault<z.ZodString> }>>);
}

const catalogueOf = (...skills: Skill[]) => createCatalogue(skills, breakers as Breakers);

test('finds by name and alias, and helps with a name that comes close', () => {
  const catalogue = catalogueOf(made());
  assert.equal(catalogue.get('hello').name, 'greet');
  assert.equal(catalogue.find('nobody'), undefined);
  assert.throws(
    () => catalogue.get('greeting'),
    (error: Error & { code: string }) => error.code === 'skill.unknown' && error.message.includes('greet'),
  );
});

test('refuses two skills of one name, an alias included', () => {
  assert.throws(() => catalogueOf(made(), made({ name: 'hello', aliases: [] })), /two skills are called hello/);
});

test('describes a skill with schemas for forms, presets and the state of its breaker', () => {
  const info = catalogueOf(made()).info('hello');
  assert.deepEqual([info.name, info.aliases, info.presets], ['greet', ['hello'], { Loud: { config: { times: 3 } } }]);
  assert.deepEqual(info.breaker, { state: 'open', failures: 3, until: '1970-01-01T00:01:00.000Z' });
  const { properties } = info.configSchema as { properties: Record<string, unknown> };
  assert.deepEqual(properties['name'], { type: 'string', minLength: 1, default: 'you', description: 'Whom' });
  assert.deepEqual(
    catalogueOf(made(), made({ name: 'two', aliases: [] }))
      .list()
      .map(({ name }) => name),
    ['greet', 'two'],
  );
});

test('checks a configuration field by field', () => {
  const catalogue = catalogueOf(made());
  assert.deepEqual(catalogue.checkConfig('greet', { name: 'Ada' }), []);
  assert.deepEqual(
    catalogue.checkConfig('hello', { name: '', times: 0 }).map(({ field }) => field),
    ['name', 'times'],
  );
  assert.deepEqual(catalogue.checkConfig('greet', { nmae: 'x' }), [{ field: 'nmae', message: 'there is no such option' }]);
});
