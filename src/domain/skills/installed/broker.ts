import { z } from 'zod';
import { AppError } from '#core/errors';
import { AnyJson, type Json } from '#core/json';
import type { SkillContext } from '../contract.ts';
import { isDeclaredHost, OWN_ADDRESSES, type Manifest, type SkillGrant } from './manifest.ts';
import { SkillSchema, toZod } from './schema-subset.ts';

/** What a skill may ask for in one run: its manifest, as the owner approved it, and the context of that run. */
export interface BrokerScope {
  readonly manifest: Pick<Manifest, 'name' | 'grants' | 'hosts' | 'skills' | 'settings'>;
  readonly context: SkillContext;
}

/** Answers the calls of one run of one skill. */
export interface Broker {
  /** Throws `skill.unknown_call`, `skill.bad_call`, `skill.not_granted` and what the context throws. `part` is called by calls that stream. */
  answer(method: string, params: Json, signal: AbortSignal, part: (value: Json) => void): Promise<Json>;
}

interface Method<P extends z.ZodType = z.ZodType> {
  /** The grant that the manifest must have asked for; null is free. */
  readonly grant: SkillGrant | null;
  readonly params: P;
  /** What of the answer crosses: fields that are not named stay here. */
  readonly result: z.ZodType;
  run(params: z.output<P>, call: { readonly scope: BrokerScope; readonly signal: AbortSignal; part(value: Json): void }): Promise<unknown>;
}

const method = <P extends z.ZodType>(it: Method<P>): Method => it as unknown as Method;

const MOST_BODY_BYTES = 2 * 2 ** 20;
const MOST_RECEIPT_CHARS = 64 * 1_024;
const MOST_NOTES = 100;

const Headers = z
  .record(z.string().max(100), z.string().max(8_000))
  .refine((all) => Object.keys(all).length <= 30, 'more than 30 headers')
  .refine(
    (all) =>
      !Object.keys(all).some((name) =>
        /^(host|connection|content-length|transfer-encoding|upgrade|te|expect|idempotency-key)$/i.test(name),
      ),
    'sets a header that is not a skill’s to set',
  );
const Address = z.string().max(4_000);
const Llm = z.strictObject({
  prompt: z.string().min(1).max(400_000),
  system: z.string().max(20_000).optional(),
  maxOutputTokens: z.int().min(1).max(16_000).optional(),
  temperature: z.number().min(0).max(2).optional(),
  tier: z.enum(['light', 'medium', 'heavy', 'local']).optional(),
});

const METHODS: Readonly<Record<string, Method>> = {
  fetch: method({
    grant: 'net:fetch',
    params: z.strictObject({
      url: Address,
      method: z.enum(['GET', 'HEAD']).default('GET'),
      headers: Headers.default({}),
      timeoutMs: z.int().min(1).max(120_000).default(20_000),
      maxBytes: z.int().min(1).max(MOST_BODY_BYTES).default(MOST_BODY_BYTES),
    }),
    result: z.object({
      status: z.number(),
      url: z.string(),
      contentType: z.string(),
      headers: z.record(z.string(), z.string()),
      base64: z.string(),
    }),
    async run(params, { scope, signal }) {
      assertHost(params.url, scope);
      const { status, url, contentType, headers, body } = await scope.context.fetch({
        ...params,
        signal,
        mayFollow: (next) => assertHost(next.href, scope),
      });
      return { status, url, contentType, headers: Object.fromEntries(headers), base64: Buffer.from(body).toString('base64') };
    },
  }),
  effect: method({
    grant: 'net:post',
    params: z.strictObject({
      name: z.string().min(1).max(120),
      url: Address,
      method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
      headers: Headers.default({}),
      body: AnyJson.optional(),
      class: z.enum(['reversible', 'compensable', 'irreversible']).default('irreversible'),
      idempotent: z.boolean().default(false),
    }),
    result: z.object({ status: z.number(), body: z.string() }).nullable(),
    async run({ name, url, method: verb, headers, body, class: kind, idempotent }, { scope }) {
      const { origin, pathname } = assertHost(url, scope);
      const isText = typeof body === 'string';
      const type = isText ? 'text/plain; charset=utf-8' : 'application/json';
      return scope.context.effect({
        name,
        kind: `http.${verb.toLowerCase()}`,
        target: origin + pathname,
        class: kind,
        intent: { method: verb, url: origin + pathname, ...(body !== undefined && { body }) },
        idempotent,
        async perform(key, signal) {
          const request = {
            url,
            method: verb,
            headers: { ...(body !== undefined && { 'content-type': type }), ...headers, 'idempotency-key': key },
            ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
            signal,
            timeoutMs: 60_000,
            maxBytes: MOST_BODY_BYTES,
            maxRedirects: 0,
          };
          const answer = await scope.context.fetch(request).catch((error: unknown) => {
            throw error instanceof AppError && SURELY_NOT_SENT.includes(error.code) ? new NotSent(error) : error;
          });
          if (answer.status >= 500)
            throw new AppError('unavailable', 'skill.http_status', `${origin} answered with HTTP ${answer.status}`, {
              status: answer.status,
            });
          return { status: answer.status, body: new TextDecoder().decode(answer.body).slice(0, MOST_RECEIPT_CHARS) };
        },
      });
    },
  }),
  'llm.complete': method({
    grant: 'llm:call',
    params: Llm,
    result: z.string(),
    run: async (request, { scope, signal }) => (await scope.context.llm.complete({ ...withoutUndefined(request), signal })).text,
  }),
  'llm.stream': method({
    grant: 'llm:call',
    params: Llm,
    result: z.null(),
    async run(request, { scope, signal, part }) {
      for await (const event of scope.context.llm.stream({ ...withoutUndefined(request), signal })) {
        signal.throwIfAborted();
        if (event.type === 'text') part(event.text);
      }
      return null;
    },
  }),
  'llm.object': method({
    grant: 'llm:call',
    params: Llm.extend({ schema: SkillSchema }),
    result: AnyJson,
    run: async ({ schema, ...request }, { scope, signal }) =>
      (await scope.context.llm.object({ ...withoutUndefined(request), schema: toZod(schema)!, schemaName: 'answer', signal })).value,
  }),
  'memory.search': method({
    grant: 'memory:read',
    params: z.strictObject({
      query: z.string().min(1).max(1_000),
      limit: z.int().min(1).max(50).default(10),
      kinds: z.array(z.string().max(60)).max(20).optional(),
    }),
    result: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        title: z.string().nullable(),
        text: z.string(),
        url: z.string().nullable(),
        score: z.number(),
        at: z.number(),
      }),
    ),
    run: ({ query, ...options }, { scope }) => scope.context.memory.search(query, withoutUndefined(options)),
  }),
  'memory.known': method({
    grant: 'memory:read',
    params: z.strictObject({ identities: z.array(z.string().max(2_000)).max(500) }),
    result: z.array(z.string()),
    run: async ({ identities }, { scope }) => [...(await scope.context.memory.known(identities))],
  }),
  'memory.add': method({
    grant: 'memory:write',
    params: z.strictObject({
      kind: z.string().regex(/^[a-z][a-z0-9_]{0,59}$/),
      text: z.string().min(1).max(100_000),
      title: z.string().max(500).optional(),
      url: Address.optional(),
      identity: z.string().max(2_000).optional(),
      metadata: z.record(z.string().max(100), AnyJson).optional(),
      expiresInDays: z.int().min(1).max(3_650).optional(),
    }),
    result: z.object({ id: z.string(), existed: z.boolean() }),
    run: async (item, { scope: { context } }) =>
      context.dryRun ? { id: 'dry-run', existed: false } : context.memory.add(withoutUndefined(item)),
  }),
  notify: method({
    grant: 'channel:send',
    params: z.strictObject({
      text: z.string().min(1).max(20_000),
      channel: z.string().max(100).optional(),
      name: z.string().max(120).optional(),
    }),
    result: z.object({ delivered: z.array(z.object({ channel: z.string() })) }),
    run: (message, { scope }) => scope.context.deliver(withoutUndefined(message)),
  }),
  call: method({
    grant: 'skill:call',
    params: z.strictObject({ skill: z.string().max(60), input: AnyJson.default(null), config: AnyJson.default({}) }),
    result: z.object({ outcome: z.string(), output: AnyJson }),
    run({ skill, ...request }, { scope }) {
      if (!scope.manifest.skills.includes(skill)) throw notDeclared('skills', skill, scope);
      return scope.context.call(skill, request);
    },
  }),
  setting: method({
    grant: 'settings:read',
    params: z.strictObject({ key: z.string().max(100) }),
    result: AnyJson,
    async run({ key }, { scope }) {
      if (!scope.manifest.settings.includes(key)) throw notDeclared('settings', key, scope);
      await scope.context.assertMay('settings:read', `setting:${key}`);
      const value = scope.context.setting<Json>(key) ?? null;
      if (JSON.stringify(value).includes('@secret:'))
        throw new AppError('forbidden', 'skill.secret_setting', `${key} refers to a secret, which no installed skill may read`, { key });
      return value;
    },
  }),
  note: method({
    grant: null,
    params: z.strictObject({ type: z.string().regex(/^[a-z][a-z0-9_.]{0,59}$/), data: AnyJson.default(null) }),
    result: z.null(),
    run: async ({ type, data }, { scope }) => (scope.context.note(`skill.${scope.manifest.name}.${type}`, data), null),
  }),
  render: method({
    grant: null,
    params: z.strictObject({ template: z.string().max(20_000), values: z.record(z.string().max(100), AnyJson).default({}) }),
    result: z.string(),
    run: ({ template, values }, { scope }) => scope.context.render(template, values),
  }),
};

const SURELY_NOT_SENT: readonly string[] = ['fetch.bad_url', 'fetch.blocked', 'fetch.dns', 'fetch.refused', 'fetch.tls'];

/** An error after which nothing surely happened, named as the effects of a run want it. */
class NotSent extends AppError {
  override readonly name = 'EffectNotDone';

  constructor({ kind, code, message, details }: AppError) {
    super(kind, code, message, details);
  }
}

export function createBroker(scope: BrokerScope): Broker {
  let notes = 0;
  return {
    async answer(name, params, signal, part) {
      const asked = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
      if (!asked)
        throw new AppError('not_found', 'skill.unknown_call', `There is no call "${name}"; there are ${Object.keys(METHODS).join(', ')}`, {
          method: name,
        });
      if (asked.grant !== null && !scope.manifest.grants.includes(asked.grant))
        throw new AppError(
          'forbidden',
          'skill.not_granted',
          `${name} needs the grant "${asked.grant}", which skill.json does not ask for`,
          {
            method: name,
            grant: asked.grant,
          },
        );
      if (name === 'note' && (notes += 1) > MOST_NOTES)
        throw new AppError('limited', 'skill.too_many_notes', `A run may write ${MOST_NOTES} notes into its journal`);
      const read = asked.params.safeParse(params);
      if (!read.success) {
        const issue = read.error.issues[0];
        throw new AppError(
          'invalid',
          'skill.bad_call',
          `${name}: ${issue?.path.map(String).join('.') || 'parameters'}: ${issue?.message ?? 'wrong'}`,
          { method: name },
        );
      }
      return asked.result.parse(await asked.run(read.data, { scope, signal, part })) as Json;
    },
  };
}

/** The address, if the manifest declares its host or the owner wrote it into the step. */
function assertHost(text: string, { manifest, context }: BrokerScope): URL {
  const url = URL.parse(text);
  if (!url) throw new AppError('invalid', 'skill.bad_call', 'The address is not a URL; expected one like https://example.com/feed');
  const isOwn = manifest.hosts.includes(OWN_ADDRESSES) && context.ownOrigins.has(url.origin);
  if (isOwn || (url.protocol === 'https:' && isDeclaredHost(manifest.hosts, url))) return url;
  const why =
    url.protocol === 'https:' || !isDeclaredHost(manifest.hosts, url)
      ? `"hosts" of skill.json does not name ${url.host}`
      : 'only https is allowed to declared hosts';
  throw new AppError('forbidden', 'skill.host_not_declared', `${manifest.name} may not reach ${url.protocol}//${url.host}: ${why}`, {
    host: url.host,
  });
}

function notDeclared(field: 'skills' | 'settings', name: string, { manifest }: BrokerScope): AppError {
  return new AppError(
    'forbidden',
    'skill.not_declared',
    `${manifest.name} may not use ${name}: "${field}" of skill.json does not name it`,
    { [field]: name },
  );
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>;
}
