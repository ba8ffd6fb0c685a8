import { z } from 'zod';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { exportsOf, sections, sources, type Page } from './page.ts';

/** Every endpoint of the contracts, which are the ones that the server mounts. */
export const httpPage: Page = {
  file: 'http.md',
  title: 'HTTP endpoints',
  async make() {
    const values = await exportsOf([...(await sources('domain/*/contract.ts')), ...(await sources('edge/http/contract.ts'))]);
    const all = values.flatMap(endpointsIn).toSorted((a, b) => (a.path + a.method < b.path + b.method ? -1 : 1));
    if (all.length === 0) return null;
    const intro =
      "The owner's side. A session cookie or `Authorization: Bearer <token>` is needed unless the grant is `public`. The whole contract, with every " +
      'shape, is served at `GET /api/openapi.json`. A field with `?` may be left out. What is marked *2FA* needs a fresh second factor in the header ' +
      '`Castellan-Factor`.\n\n';
    return intro + sections(all, groupOf, ['endpoint', 'grant', 'does', 'input'], rowOf);
  },
};

/** An endpoint, or those of an exported group of endpoints. */
function endpointsIn(value: unknown): readonly Endpoint[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isEndpoint(value)) return [value];
  return Object.getPrototypeOf(value) === Object.prototype ? Object.values(value).filter(isEndpoint) : [];
}

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'grant' in value && 'input' in value;
}

function groupOf({ path }: Endpoint): string {
  return path.split('/').slice(0, 3).join('/');
}

function rowOf(it: Endpoint): readonly string[] {
  const summary = it.stream ? `${it.summary} (server-sent events)` : it.summary;
  const guard = it.secondFactor ? ' *2FA*' : '';
  return [`\`${it.method} ${it.path}\``, `\`${it.grant}\`${guard}`, summary, fieldsOf(it)];
}

/** The names of the input's fields, those of the path left out. */
function fieldsOf({ input, path }: Endpoint): string {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  const needed = new Set(schema.required);
  const names = Object.keys(schema.properties ?? {}).filter((name) => !path.includes(`{${name}}`));
  return names.map((name) => `\`${name}${needed.has(name) ? '' : '?'}\``).join(', ');
}
