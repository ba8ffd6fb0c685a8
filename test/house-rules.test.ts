// Plants a violation of every house rule in a small package of the same layout: a rule counts only after it has failed once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { before, describe, it } from 'node:test';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');

/** What stands in the planted package besides the violations, so that every import leads somewhere. */
const NEIGHBOURS = {
  'src/core/errors.ts':
    'export class AppError extends Error { constructor(kind: string, code: string, message: string) { super(`${kind} ${code} ${message}`); } }',
  'src/core/endpoint.ts': 'export const endpoint = (it: object): object => it;',
  'src/core/fetch.ts': 'export const guarded = 1;',
  'src/domain/vault/index.ts': 'export const lend = 1;',
  'src/domain/vault/contract.ts': 'export const Lent = 1;',
  'src/domain/vault/testing.ts': 'export const fakeVault = 1;',
  'src/domain/vault/seal.ts': 'export const seal = 1;',
  'src/domain/channels/telegram/index.ts': 'export const telegram = 1;',
  'src/domain/channels/discord/index.ts': 'export const discord = 1;',
  'src/edge/http/server.ts': 'export const server = 1;',
  'src/app.ts': 'export const createApp = 1;',
};

/** File, its text, and the one rule that must refuse it. */
const VIOLATIONS: readonly (readonly [file: string, text: string, rule: string])[] = [
  // The directions of the rings.
  ['src/core/a1.ts', "export { lend } from '#vault';", 'house(rings)'],
  ['src/core/a2.ts', "export { lend } from '../domain/vault/index.ts';", 'house(rings)'],
  ['src/core/a3.ts', "export { server } from '../edge/http/server.ts';", 'house(rings)'],
  ['src/core/a4.ts', "export { AppError } from '#core/errors';", 'house(rings)'],
  ['src/core/a5.ts', "export { parse } from 'liquidjs';", 'house(rings)'],
  ['src/core/a6.ts', "export { createApp } from '../app.ts';", 'house(rings)'],
  ['src/core/a7.ts', "export type Sql = typeof import('liquidjs');", 'house(rings)'],
  ['src/domain/memory/b1.ts', "export { seal } from '../vault/seal.ts';", 'house(rings)'],
  ['src/domain/memory/b2.ts', "export { server } from '../../edge/http/server.ts';", 'house(rings)'],
  ['src/domain/memory/b3.ts', "export { AppError } from '../../core/errors.ts';", 'house(rings)'],
  ['src/domain/memory/b4.ts', "export { createApp } from '../../app.ts';", 'house(rings)'],
  ['src/domain/memory/b5.ts', "export const late = () => import('../vault/seal.ts');", 'house(rings)'],
  ['src/domain/vault/b6.ts', "export { Lent } from '#vault/contract';", 'house(rings)'],
  ['src/domain/runs/b7.ts', "export { lend } from '#memory';", 'house(rings)'],
  ['src/domain/llm/b8.ts', "export type { lend } from '#skills/contract';", 'house(rings)'],
  ['src/domain/memory/contract.ts', "export { lend } from '#vault';", 'house(rings)'],
  ['src/domain/channels/telegram/c1.ts', "export { discord } from '../discord/index.ts';", 'house(rings)'],
  ['src/domain/channels/dispatch.ts', "export { telegram } from './telegram/index.ts';", 'house(rings)'],
  ['src/edge/cli/d1.ts', "export { server } from '../http/server.ts';", 'house(rings)'],
  ['src/edge/mcp/d2.ts', "export { server } from '../http/server.ts';", 'house(rings)'],
  ['src/edge/cli/d3.ts', "export { lend } from '../../domain/vault/index.ts';", 'house(rings)'],
  ['src/edge/web/e1.ts', "export { lend } from '#vault';", 'house(rings)'],
  ['src/edge/web/e2.ts', "export { readFile } from 'node:fs/promises';", 'house(rings)'],
  ['src/edge/web/e3.ts', "export { guarded } from '#core/fetch';", 'house(rings)'],
  ['src/launcher.ts', "export { lend } from '#vault';", 'house(rings)'],
  ['src/skill/f1.ts', "export { z } from 'zod';", 'house(rings)'],
  // Libraries with one home.
  ['src/core/g1.ts', "export { sql } from 'kysely';", 'house(rings)'],
  ['src/core/g2.ts', "export { DatabaseSync } from 'node:sqlite';", 'house(rings)'],
  ['src/core/g3.ts', "export const load = () => import('undici');", 'house(rings)'],
  ['src/core/g4.ts', "export { pino } from 'pino';", 'house(rings)'],
  ['src/domain/memory/g5.ts', "export { sql } from 'kysely';", 'house(rings)'],
  ['src/domain/memory/g6.ts', "export { fastify } from 'fastify';", 'house(rings)'],
  ['src/edge/http/g7.ts', "export { Client } from 'pg';", 'house(rings)'],
  // What is for tests stays in tests.
  ['src/domain/memory/h1.ts', "export { fakeVault } from '#vault/testing';", 'house(rings)'],
  ['src/domain/memory/h2.ts', "export * from 'fast-check';", 'house(rings)'],
  ['src/core/h3.ts', "export { it } from 'node:test';", 'house(rings)'],
  ['src/domain/vault/h4.ts', "export { fakeVault } from './testing.ts';", 'house(rings)'],
  // No state in a module.
  ['src/core/i1.ts', 'export let counter = 0;', 'house(no-module-state)'],
  [
    'src/core/i2.ts',
    'const seen = new Map<string, string>();\nexport const has = (key: string): boolean => seen.has(key);',
    'house(no-module-state)',
  ],
  ['src/domain/memory/i3.ts', 'export const queue: string[] = [];', 'house(no-module-state)'],
  ['src/domain/memory/i4.ts', 'export const cache = {} as Record<string, string>;', 'house(no-module-state)'],
  ['src/domain/memory/i5.ts', 'export const stop = new AbortController();', 'house(no-module-state) house(nothing-on-import)'],
  // Nothing happens on import.
  ['src/domain/memory/j1.ts', "import { register } from './registry.ts';\nregister('memory');", 'house(nothing-on-import)'],
  [
    'src/domain/memory/j2.ts',
    "import { readFileSync } from 'node:fs';\nexport const prompt = readFileSync('prompt.txt', 'utf8');",
    'house(nothing-on-import)',
  ],
  ['src/domain/memory/j3.ts', "import { createBus } from '#core/bus';\nexport const bus = createBus();", 'house(nothing-on-import)'],
  ['src/core/j4.ts', "process.on('exit', () => {});", 'house(nothing-on-import)'],
  ['src/core/j5.ts', "export const os = await import('node:os');", 'house(nothing-on-import)'],
  ['src/edge/http/j6.ts', 'if (process.pid > 1) throw new Error();', 'house(nothing-on-import)'],
  [
    'src/core/j7.ts',
    "import { readFileSync } from 'node:fs';\nexport class Prompt { static readonly text = readFileSync('prompt.txt', 'utf8'); }",
    'house(nothing-on-import)',
  ],
  // Time and chance are arguments.
  ['src/domain/memory/k1.ts', 'export const now = (): number => Date.now();', 'house(time-and-chance)'],
  ['src/domain/memory/k2.ts', 'export const today = (): Date => new Date();', 'house(time-and-chance)'],
  ['src/domain/memory/k3.ts', 'export const pick = (): number => Math.random();', 'house(time-and-chance)'],
  [
    'src/domain/memory/k4.ts',
    "import { randomUUID } from 'node:crypto';\nexport const id = (): string => randomUUID();",
    'house(time-and-chance)',
  ],
  ['src/domain/memory/k5.ts', 'export const from = (now: () => number = Date.now): number => now();', 'house(time-and-chance)'],
  // The environment is read once.
  ['src/domain/memory/l1.ts', "export const home = (): unknown => process.env['HOME'];", 'house(environment)'],
  ['src/core/l2.ts', "import { env } from 'node:process';\nexport const home = (): unknown => env['HOME'];", 'house(environment)'],
  // Names.
  ['src/core/camelCase.ts', 'export const a = 1;', 'house(file-names)'],
  ['src/domain/memory/utils.ts', 'export const a = 1;', 'house(file-names)'],
  ['src/domain/memory/memory-service.ts', 'export const a = 1;', 'house(file-names)'],
  // Errors.
  [
    'src/domain/memory/m1.ts',
    "import { AppError } from '#core/errors';\nexport const fail = () => new AppError('invalid', 'MemoryMissing', 'No');",
    'house(error-codes)',
  ],
  [
    'src/domain/memory/m2.ts',
    "import { AppError } from '#core/errors';\nexport const fail = (what: string) => new AppError('invalid', `memory.${what}`, 'No');",
    'house(error-codes)',
  ],
  // What the linter brings itself.
  ['src/domain/memory/n1.ts', "export const get = () => fetch('http://127.0.0.1/');", 'eslint(no-restricted-globals)'],
  ['src/core/n2.ts', "export const say = () => console.log('hello');", 'eslint(no-console)'],
  ['src/core/n3.ts', 'export const read = (it: any) => it as unknown;', 'typescript(no-explicit-any)'],
  [
    'src/core/n4.ts',
    'const work = async (): Promise<void> => {};\nexport const run = (): void => { work(); };',
    'typescript(no-floating-promises)',
  ],
  [
    'src/core/n5.ts',
    'export const run = (list: number[]): void => list.forEach(async () => { await Promise.resolve(); });',
    'typescript(no-misused-promises)',
  ],
  [
    'src/core/n6.ts',
    "export function name(it: 'a' | 'b'): string | undefined { switch (it) { case 'a': return 'A'; } return undefined; }",
    'typescript(switch-exhaustiveness-check)',
  ],
  ['src/core/n7.ts', "import { AppError } from './errors.ts';\nexport type Fault = AppError;", 'typescript(consistent-type-imports)'],
  ['src/core/o1.ts', "import { b } from './o2.ts';\nexport const a = (): unknown => b;", 'import(no-cycle)'],
  ['src/core/o2.ts', "import { a } from './o1.ts';\nexport const b = (): unknown => a;", 'import(no-cycle)'],
];

/** What looks like a violation and is none. */
const GOOD = {
  'src/core/db/good.ts': "export { sql } from 'kysely';\nexport { DatabaseSync } from 'node:sqlite';",
  'src/core/fetch/good.ts':
    "export type Undici = typeof import('undici');\nexport const load = () => import('undici');\nexport const own = (fetch: (url: string) => unknown) => fetch('/');",
  'src/core/config.ts': "export const home = (): unknown => process.env['HOME'];\nexport const now = (): number => Date.now();",
  'src/core/good.ts':
    "import { z } from 'zod';\nimport { AppError } from './errors.ts';\nexport const KINDS = new Set(['a', 'b']);\nexport const Shape = z.object({ kind: z.enum(['a', 'b']) }).strict();\n" +
    "export const NAMES = [...KINDS].map((kind) => kind.toUpperCase());\nexport const HERE = new URL('.', import.meta.url);\n" +
    "export const fail = () => new AppError('not_found', 'good.not_found', 'No such thing');\nexport class Good extends Error { override readonly name: string = 'Good'; }",
  'src/domain/memory/queries.ts': "export { sql } from 'kysely';",
  'src/domain/memory/good.ts':
    "import { lend } from '#vault';\nimport { Lent } from '#vault/contract';\nimport { Liquid } from 'liquidjs';\nimport type { Kysely } from 'kysely';\n" +
    'export const at = (ms: number): Date => new Date(ms);\nexport const all = (db: Kysely<object>): unknown => [db, lend, Lent, Liquid];',
  'src/domain/memory/good.test.ts':
    "import { it } from 'node:test';\nimport fc from 'fast-check';\nimport { fakeVault } from '#vault/testing';\nimport { at } from './good.ts';\n" +
    "let calls = 0;\nit('works', () => void [(calls += 1), fc, fakeVault, at(Date.now())]);",
  'src/domain/workflows/contract.ts':
    "import { endpoint } from '#core/endpoint';\nimport type { lend } from '#vault';\nexport const list = endpoint({ path: '/' });\nexport type Lend = typeof lend;",
  'src/domain/channels/kinds.ts':
    "import { discord } from './discord/index.ts';\nimport { telegram } from './telegram/index.ts';\nexport const kinds = [discord, telegram];",
  'src/domain/skills/child-entry.ts': "process.on('message', () => {});",
  'src/edge/http/good.ts': "export { fastify } from 'fastify';\nexport { lend } from '#vault';",
  'src/edge/cli/good.ts': "export const say = async () => console.log(await fetch('http://127.0.0.1/'));",
  'src/edge/web/good.ts':
    "export { Lent } from '#vault/contract';\nexport { useState } from 'react';\nexport { endpoint } from '#core/endpoint';",
  'src/main.ts':
    "import { lend } from '#vault';\nimport { createApp } from './app.ts';\nimport { server } from './edge/http/server.ts';\nprocess.stdout.write(String([lend, createApp, server]));",
};

const Report = z.object({ diagnostics: z.array(z.object({ code: z.string().default('?'), filename: z.string() })) });

describe('the house rules', () => {
  let found: ReadonlyMap<string, string>;

  before(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'castellan-house-rules-'));
    try {
      await plant(dir);
      found = await lint(dir);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  for (const [file, text, rule] of VIOLATIONS) {
    it(`${rule} refuses ${text.split('\n').at(-1)} in ${file}`, () => assert.equal(found.get(file), rule));
  }

  for (const file of Object.keys({ ...GOOD, ...NEIGHBOURS })) {
    it(`lets ${file} pass`, () => assert.equal(found.get(file), undefined));
  }
});

async function plant(dir: string): Promise<void> {
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'tools/lint'])
    await cp(join(ROOT, name), join(dir, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'), 'dir');
  const files = { ...NEIGHBOURS, ...GOOD, ...Object.fromEntries(VIOLATIONS.map(([file, text]) => [file, text])) };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(dir, dirname(file)), { recursive: true });
    await writeFile(join(dir, file), `${text}\n`);
  }
}

/** Lints the whole package once; the rules that each file breaks, in order of name. */
async function lint(dir: string): Promise<ReadonlyMap<string, string>> {
  const oxlint = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const text = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [oxlint, '--type-aware', '--format=json', 'src'],
      { cwd: dir, timeout: 60_000, maxBuffer: 2 ** 24 },
      (_error, out) => resolve(out),
    );
  });
  const { diagnostics } = Report.parse(JSON.parse(text));
  const byFile = Map.groupBy(diagnostics, ({ filename }) => relative(dir, join(dir, filename)));
  return new Map([...byFile].map(([file, all]) => [file, [...new Set(all.map(({ code }) => code))].toSorted().join(' ')]));
}
