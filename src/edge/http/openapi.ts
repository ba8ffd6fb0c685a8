import { z } from 'zod';
import type { Endpoint, Route } from '#core/endpoint';
import { httpStatus } from '#core/errors';
import { sessionCookie } from '#owner';
import type { RawRoute } from '#core/raw-route';

type Schema = { [key: string]: unknown };

/** The whole contract of the HTTP API (OpenAPI 3.1), made from the endpoints themselves. */
export function openApi(routes: readonly Route[], rawRoutes: readonly RawRoute[], version: string): Schema {
  const schemas: Record<string, Schema> = { Error: errorSchema() };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { endpoint } of routes) (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint, schemas);
  for (const raw of rawRoutes) (paths[raw.path] ??= {})[raw.method.toLowerCase()] = rawOperation(raw);
  return {
    openapi: '3.1.0',
    info: { title: 'Castellan', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ token: [] }, { session: [], csrf: [] }],
    paths,
    components: {
      schemas,
      responses: { Error: { description: 'Refused or failed; `code` says why.', content: json({ $ref: '#/components/schemas/Error' }) } },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token: `castellan token create`.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: sessionCookie(false).name,
          description: `The session of a login; over TLS it is called ${sessionCookie(true).name}.`,
        },
        csrf: { type: 'apiKey', in: 'header', name: 'x-csrf-token', description: 'With a session, on everything but GET.' },
      },
    },
  };
}

function operation(endpoint: Endpoint, schemas: Record<string, Schema>): Schema {
  const { method, path, grant, summary, status = 200 } = endpoint;
  const id = operationId(method, path);
  const input = schemaOf(endpoint.input, 'input', `${id}.input`, schemas);
  const fields = (input['properties'] ?? {}) as Record<string, Schema>;
  const required = new Set((input['required'] ?? []) as string[]);
  const inPath = pathNames(path);
  const others = Object.keys(fields).filter((name) => !inPath.includes(name));
  const hasBody = method === 'POST' || method === 'PUT';
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: fields[name] ?? { type: 'string' } })),
    ...(hasBody ? [] : others.map((name) => ({ name, in: 'query', required: required.has(name), schema: fields[name]! }))),
    ...(method === 'POST' ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }] : []),
    ...(endpoint.secondFactor
      ? [
          {
            name: 'Castellan-Factor',
            in: 'header',
            required: false,
            description:
              'A fresh second factor, percent-encoded: a code, a recovery code, or the password where no factor is enrolled. Refused without, as owner.factor_needed.',
            schema: { type: 'string', maxLength: 4096 },
          },
        ]
      : []),
    ...(endpoint.stream ? [{ name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }] : []),
  ];
  return {
    operationId: id,
    summary,
    tags: [path.split('/')[2] ?? path.slice(1)],
    ...(grant === 'public' ? { security: [] } : { 'x-grant': grant }),
    ...(endpoint.secondFactor && { 'x-second-factor': endpoint.secondFactor }),
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody && (others.length > 0 || !('properties' in input)) && { requestBody: requestBody(input, others, required) }),
    responses: {
      [String(status)]: { description: 'Done.', content: content(endpoint, id, schemas) },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function rawOperation({ method, path, grant, summary }: RawRoute): Schema {
  const parameters = pathNames(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  return {
    operationId: operationId(method, path),
    summary,
    ...(grant === 'public' ? { security: [] } : { 'x-grant': grant }),
    ...(parameters.length > 0 && { parameters }),
    responses: { '2XX': { description: 'Done.' }, default: { $ref: '#/components/responses/Error' } },
  };
}

/** The input without its path parameters. One that is no plain object (a union of shapes) is given as it is. */
function requestBody(input: Schema, names: readonly string[], required: ReadonlySet<string>): Schema {
  if (!('properties' in input)) return { required: true, content: json(input) };
  const fields = input['properties'] as Record<string, Schema>;
  const needed = names.filter((name) => required.has(name));
  const schema = { ...input, properties: Object.fromEntries(names.map((name) => [name, fields[name]!])), required: needed };
  return { required: needed.length > 0, content: json(schema) };
}

function content(endpoint: Endpoint, id: string, schemas: Record<string, Schema>): Schema {
  const output = schemaOf(endpoint.output, 'output', `${id}.output`, schemas);
  if (!endpoint.stream) return json(output);
  const event = { type: 'object', properties: { id: { type: 'string' }, event: { type: 'string' }, data: output }, required: ['data'] };
  const gathered = { type: 'object', properties: { events: { type: 'array', items: event } }, required: ['events'] };
  const whole = endpoint.whole ? schemaOf(endpoint.whole, 'output', `${id}.whole`, schemas) : gathered;
  return {
    'text/event-stream': { schema: { type: 'string', contentSchema: output, contentMediaType: 'application/json' } },
    ...json(whole),
  };
}

/** A zod schema as JSON Schema 2020-12; what it defines on the side moves to the components of the document. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', prefix: string, schemas: Record<string, Schema>): Schema {
  const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
  const nameOf = (local: string): string => `${prefix}.${local.replaceAll(/[^\w.-]/g, '_')}`;
  const isRecursive = JSON.stringify([root, $defs]).includes('"$ref":"#"');
  for (const [local, definition] of Object.entries($defs as Record<string, Schema>))
    schemas[nameOf(local)] = moveRefs(definition, nameOf) as Schema;
  const moved = moveRefs(root, nameOf) as Schema;
  if (!isRecursive) return moved;
  schemas[nameOf('root')] = moved;
  return moved;
}

function moveRefs(node: unknown, nameOf: (local: string) => string): unknown {
  if (Array.isArray(node)) return node.map((each) => moveRefs(each, nameOf));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key !== '$ref' || typeof value !== 'string') return [key, moveRefs(value, nameOf)];
      const local = value === '#' ? 'root' : value.replace('#/$defs/', '');
      return [key, `#/components/schemas/${nameOf(local)}`];
    }),
  );
}

function errorSchema(): Schema {
  const kinds = [...Object.keys(httpStatus), 'internal'];
  const fields = {
    kind: { enum: kinds },
    code: { type: 'string' },
    message: { type: 'string' },
    details: { type: 'object' },
    id: { type: 'string' },
  };
  return {
    type: 'object',
    properties: { error: { type: 'object', properties: fields, required: Object.keys(fields) } },
    required: ['error'],
  };
}

const json = (schema: Schema): Schema => ({ 'application/json': { schema } });

const pathNames = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

/** `POST /api/runs/{id}/retry` is `postRunsIdRetry`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
