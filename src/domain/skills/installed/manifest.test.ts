import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AppError } from '#core/errors';
import { isDeclaredHost, readManifest } from './manifest.ts';
import { schemaProblems, toZod } from './schema-subset.ts';
import { assertTame, readLine } from './wire.ts';

const GOOD = { name: 'greet', version: '1.0.0', description: 'Says hello.' };
const read = (over: Record<string, unknown>) => readManifest(JSON.stringify({ ...GOOD, ...over }));

test('a manifest says little, and the rest has safe values', () => {
  const manifest = read({});
  assert.deepEqual(
    [manifest.grants, manifest.hosts, manifest.outcomes, manifest.timeoutMs, manifest.memoryMb],
    [[], [], ['on_success'], 30_000, 128],
  );
  assert.equal(toZod(manifest.config)!.safeParse({ a: 1 }).success, false, 'it takes no configuration unless it says so');
});

test('what is wrong is named by field, with what it should be', () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ name: 'Greet' }, /name: .*lower-case/],
    [{ name: '../greet' }, /name:/],
    [{ name: '__proto__' }, /name:/],
    [{ version: '1.0' }, /version: .*1\.0\.0/],
    [{ version: '../1.0.0' }, /version:/],
    [{ description: 'a\u202eb' }, /description: .*invisible/],
    [{ grants: ['shell:run'] }, /grants\.0:/],
    [{ grants: ['*'] }, /grants\.0:/],
    [{ grants: ['net:fetch'] }, /hosts: .*name here/],
    [{ hosts: ['example.com'] }, /grants: .*net:fetch/],
    [{ grants: ['net:fetch'], hosts: ['https://example.com'] }, /hosts\.0: .*without "https/],
    [{ grants: ['net:fetch'], hosts: ['*'] }, /hosts\.0:/],
    [{ grants: ['net:fetch'], hosts: ['127.0.0.1'] }, /hosts\.0:/],
    [{ grants: ['net:fetch'], hosts: ['localhost'] }, /hosts\.0:/],
    [{ outcomes: ['on_error'] }, /outcomes: .*leave them out/],
    [{ outcomes: ['done'] }, /outcomes\.0: .*on_/],
    [{ surprise: 1 }, /surprise/],
    [{ memoryMb: 4_096 }, /memoryMb:/],
    [{ protocol: 2 }, /protocol:/],
    [{ config: { type: 'string', pattern: '(a+)+$' } }, /config\.pattern: "pattern" is not understood/],
    [{ input: { $ref: '#' } }, /input\.\$ref:/],
  ];
  for (const [over, says] of wrong) {
    assert.throws(
      () => read(over),
      (error: AppError) => error.code === 'skill.bad_manifest' && says.test(error.message),
      JSON.stringify(over),
    );
  }
  assert.throws(() => readManifest('{'), { code: 'skill.bad_manifest' });
});

test('a declared host is that host, and a wildcard is what lies below it', () => {
  const is = (url: string, ...hosts: string[]) => isDeclaredHost(hosts, new URL(url));
  assert.ok(
    is('https://a.example.com/x', 'a.example.com') &&
      is('https://A.Example.com./', 'a.example.com') &&
      is('https://a.b.example.com', '*.example.com'),
  );
  assert.ok(is('https://a.example.com:8443', 'a.example.com:8443'));
  for (const url of [
    'https://example.com',
    'https://xexample.com',
    'https://a.example.com.evil.test',
    'https://a.example.com:8443',
    'ftp://a.example.com',
  ])
    assert.ok(!is(url, '*.example.com'), url);
});

test('no host but a declared one is ever taken for one', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 4 }),
      fc.array(label, { minLength: 2, maxLength: 3 }),
      fc.boolean(),
      (host, declared, wild) => {
        const name = host.join('.');
        const pattern = declared.join('.');
        const expected = wild ? name.endsWith(`.${pattern}`) : name === pattern;
        assert.equal(isDeclaredHost([wild ? `*.${pattern}` : pattern], new URL(`https://${name}/`)), expected);
      },
    ),
  );
});

test('a schema is of the subset that is quick to check', () => {
  assert.deepEqual(
    schemaProblems({ type: 'object', properties: { a: { type: 'array', items: { enum: ['x'] } } }, additionalProperties: false }),
    [],
  );
  const deep = (levels: number): object => (levels === 0 ? {} : { type: 'array', items: deep(levels - 1) });
  assert.ok(schemaProblems(deep(40) as never).length > 0);
  assert.ok(schemaProblems({ properties: Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`p${at}`, {}])) }).length > 0);
  assert.ok(schemaProblems({ type: 'nothing' }).length > 0);
});

test('a line is read, or refused by name, whatever it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      try {
        readLine(line);
      } catch (error) {
        assert.equal((error as AppError).code, 'skill.broke_protocol');
      }
    }),
  );
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i += 1) deep = [deep];
  assert.throws(() => assertTame(deep), { code: 'skill.broke_protocol' });
});
