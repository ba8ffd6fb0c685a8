import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { Done, endpoint, listOf, Page, route, streamRoute } from '#core/endpoint';
import { openApi } from './openapi.ts';
import { call, READER, serve, TOKEN } from './testing.ts';

interface Tree {
  readonly name: string;
  readonly parts: readonly Tree[];
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), parts: z.array(Tree) }));
const Named = z.object({ at: z.string(), details: z.json() }).meta({ id: 'Named' });

const nothing = async (): Promise<never> => Promise.reject(new Error('never called'));
const routes = [
  route(
    endpoint({
      method: 'GET',
      path: '/api/things',
      grant: 'things:read',
      summary: 'All.',
      input: Page.extend({ q: z.string() }),
      output: listOf(Named),
    }),
    nothing,
  ),
  route(
    endpoint({
      method: 'GET',
      path: '/api/things/{id}',
      grant: 'things:read',
      summary: 'One.',
      input: z.strictObject({ id: z.string() }),
      output: Tree,
    }),
    nothing,
  ),
  route(
    endpoint({
      method: 'PUT',
      path: '/api/things/{id}',
      grant: 'things:write',
      summary: 'Sets.',
      input: z.strictObject({ id: z.uuid(), tree: Tree, note: z.string().optional() }),
      output: Done,
    }),
    nothing,
  ),
  route(
    endpoint({
      method: 'POST',
      path: '/api/things',
      grant: 'things:write',
      summary: 'Adds.',
      input: z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.number() })]),
      output: Named,
      status: 201,
    }),
    nothing,
  ),
  route(
    endpoint({
      method: 'POST',
      path: '/api/things/{id}/pause',
      grant: 'public',
      summary: 'Pauses.',
      input: z.strictObject({ id: z.string() }),
      output: Done,
    }),
    nothing,
  ),
  streamRoute(
    endpoint({
      method: 'POST',
      path: '/api/turns',
      grant: 'turns:start',
      summary: 'Talks.',
      input: z.strictObject({ text: z.string() }),
      output: z.object({ delta: z.string() }),
      stream: true,
      whole: z.object({ text: z.string() }),
    }),
    () => nothing() as never,
  ),
];

type Node = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- the document is looked into freely

/** Every object of a document, with the path that leads to it. */
function* nodesOf(node: unknown, at = '#'): Generator<[string, Node]> {
  if (node === null || typeof node !== 'object') return;
  if (!Array.isArray(node)) yield [at, node as Node];
  for (const [key, value] of Object.entries(node)) yield* nodesOf(value, `${at}/${key}`);
}

function checkDocument(document: Node): void {
  assert.match(document['openapi'], /^3\.1\./);
  const ids = new Set<string>();
  for (const [at, node] of nodesOf(document)) {
    if (typeof node['$ref'] === 'string' && !at.endsWith('/properties')) {
      assert.match(node['$ref'], /^#\/components\//, at);
      const target = node['$ref']
        .slice(2)
        .split('/')
        .reduce<Node | undefined>((inner, key) => inner?.[key], document);
      assert.ok(target, `${at} points at ${node['$ref']}, which is not there`);
    }
    assert.ok(!('$defs' in node), `${at} defines on the side`);
  }
  for (const [path, operations] of Object.entries(document['paths'] as Record<string, Record<string, Node>>)) {
    assert.match(path, /^\/([\w.-]+|\{\w+\})(\/([\w.-]+|\{\w+\}))*$/);
    for (const [method, operation] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      assert.ok(['get', 'post', 'put', 'delete'].includes(method), where);
      assert.ok(!ids.has(operation['operationId']), `${where}: the id is taken`);
      ids.add(operation['operationId']);
      assert.ok(operation['summary'], where);
      assert.ok(Object.keys(operation['responses']).length > 0, where);
      const parameters = (operation['parameters'] ?? []) as Node[];
      const inPath = parameters.filter((each) => each['in'] === 'path').map((each) => each['name']);
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        where,
      );
      assert.equal(new Set(parameters.map((each) => `${each['in']} ${each['name']}`)).size, parameters.length, where);
      for (const each of parameters) assert.ok(each['schema'] && (each['in'] !== 'path' || each['required'] === true), where);
      assert.ok(!('requestBody' in operation) || method === 'post' || method === 'put', where);
      for (const need of operation['security'] ?? [])
        for (const scheme of Object.keys(need)) assert.ok(document['components'].securitySchemes[scheme], where);
    }
  }
}

describe('the OpenAPI document', () => {
  const document = openApi(
    routes,
    [{ method: 'GET', path: '/raw/{id}', grant: 'raw:use', summary: 'Raw.', handle: async () => {} }],
    '1.2.3',
  ) as Node;
  const operation = (method: string, path: string): Node => document['paths'][path][method];

  it('is sound', () => checkDocument(document));

  it('says where each field of the input goes', () => {
    const list = operation('get', '/api/things')['parameters'] as Node[];
    assert.deepEqual(
      list.map((each) => [each['name'], each['in'], each['required']]),
      [
        ['limit', 'query', false],
        ['cursor', 'query', false],
        ['q', 'query', true],
      ],
    );
    const put = operation('put', '/api/things/{id}');
    assert.equal(put['parameters'][0].schema.format, 'uuid');
    const { schema } = put['requestBody'].content['application/json'];
    assert.deepEqual([Object.keys(schema.properties), schema.required, schema.additionalProperties], [['tree', 'note'], ['tree'], false]);
    assert.equal(operation('post', '/api/things')['requestBody'].content['application/json'].schema.anyOf.length, 2);
    assert.equal('requestBody' in operation('post', '/api/things/{id}/pause'), false);
  });

  it('says what an answer is, streams included, and what it needs', () => {
    assert.deepEqual(Object.keys(operation('post', '/api/things')['responses']), ['201', 'default']);
    const turn = operation('post', '/api/turns')['responses']['200'].content;
    assert.equal(turn['text/event-stream'].schema.contentSchema.properties.delta.type, 'string');
    assert.equal(turn['application/json'].schema.properties.text.type, 'string');
    assert.equal(operation('post', '/api/turns')['x-grant'], 'turns:start');
    assert.deepEqual(operation('post', '/api/things/{id}/pause')['security'], []);
  });

  it('is served whole, with the endpoints of the server itself, to who may read it', async () => {
    await using t = await serve(routes);
    assert.equal((await call(`${t.url}/api/openapi.json`, { headers: READER })).status, 403);
    const { json } = await call(`${t.url}/api/openapi.json`, { headers: TOKEN });
    checkDocument(json);
    for (const path of ['/health', '/ready', '/metrics', '/api/events', '/api/openapi.json', '/api/turns'])
      assert.ok(json.paths[path], path);
  });
});
