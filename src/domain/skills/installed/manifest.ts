import { z } from 'zod';
import { PROTOCOL } from '#skill';
import { AppError } from '#core/errors';
import { parseJson } from '#core/json';
import { SkillSchema } from './schema-subset.ts';

/** What an installed skill may ask for. */
export const SkillGrant = z.enum([
  'net:fetch',
  'net:post',
  'llm:call',
  'memory:read',
  'memory:write',
  'channel:send',
  'skill:call',
  'settings:read',
]);
export type SkillGrant = z.infer<typeof SkillGrant>;

/** Stands for the addresses that the owner wrote into the step's configuration or the workflow's resources. */
export const OWN_ADDRESSES = '@config';

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?(:\d{1,5})?$/;
const Host = z
  .string()
  .max(260)
  .refine(
    (host) => host === OWN_ADDRESSES || HOST.test(host),
    `a host is a name like "api.example.com", "*.example.com" or "example.com:8443", in lower case and without "https://"; or "${OWN_ADDRESSES}" for addresses in the step's own configuration`,
  );
const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{1,39}$/, 'a name is 2 to 40 lower-case letters, digits and "_", and begins with a letter: "word_stats"');
const Version = z
  .string()
  .max(40)
  .regex(/^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(-[0-9a-z.-]{1,20})?$/, 'a version is three numbers: "1.0.0"');
const Line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), 'holds control or invisible characters');

/** `skill.json`. */
export const Manifest = z
  .strictObject({
    $schema: z.string().max(300).optional(),
    /** The protocol of the SDK it was written for. */
    protocol: z.literal(PROTOCOL).default(PROTOCOL),
    name: Name,
    version: Version,
    title: Line(80).optional(),
    description: Line(500),
    author: Line(120).optional(),
    license: Line(60).optional(),
    homepage: z
      .url({ protocol: /^https$/ })
      .max(300)
      .optional(),
    config: SkillSchema.default({ type: 'object', properties: {}, additionalProperties: false }),
    input: SkillSchema.default({}),
    output: SkillSchema.default({}),
    outcomes: z
      .array(z.string().regex(/^on_[a-z][a-z0-9_]{0,30}$/, 'an outcome is called "on_…": "on_items"'))
      .min(1)
      .max(12)
      .refine((all) => new Set(all).size === all.length, 'names an outcome twice')
      .refine(
        (all) => !all.includes('on_error') && !all.includes('on_timeout'),
        'on_error and on_timeout belong to every skill: leave them out',
      )
      .default(['on_success']),
    grants: z
      .array(SkillGrant)
      .refine((all) => new Set(all).size === all.length, 'names a grant twice')
      .default([]),
    hosts: z.array(Host).max(30).default([]),
    /** Skills it may call. */
    skills: z.array(z.string().min(1).max(60)).max(20).default([]),
    /** Settings it may read. */
    settings: z
      .array(z.string().regex(/^[a-z]+\.[a-z0-9_.]+$/, 'a setting is named like "owner.language"'))
      .max(20)
      .default([]),
    timeoutMs: z.int().min(1_000).max(600_000).default(30_000),
    memoryMb: z.int().min(32).max(512).default(128),
  })
  .superRefine(({ grants, hosts, skills, settings }, context) => {
    const pairs = [
      ['hosts', hosts, ['net:fetch', 'net:post']],
      ['skills', skills, ['skill:call']],
      ['settings', settings, ['settings:read']],
    ] as const;
    for (const [field, named, needs] of pairs) {
      const asked = needs.filter((grant) => grants.includes(grant));
      if (named.length > 0 && asked.length === 0)
        context.addIssue({
          code: 'custom',
          path: ['grants'],
          message: `"${field}" is of use only with ${needs.join(' or ')}: add it, or leave "${field}" out`,
        });
      if (named.length === 0 && asked.length > 0)
        context.addIssue({ code: 'custom', path: [field], message: `${asked.join(' and ')} is asked for, so name here what for` });
    }
  });
export type Manifest = z.infer<typeof Manifest>;

export const MANIFEST_FILE = 'skill.json';
export const MAIN_FILE = 'main.ts';

/** What an editor checks `skill.json` by. */
export function manifestJsonSchema(): object {
  return z.toJSONSchema(Manifest, { io: 'input', unrepresentable: 'any' });
}

/** Reads `skill.json`; throws `skill.bad_manifest`, which names each field that is wrong and what it should be. */
export function readManifest(text: string): Manifest {
  try {
    return parseJson(text, Manifest, MANIFEST_FILE);
  } catch (error) {
    const { message, details } = error as AppError;
    throw new AppError('invalid', 'skill.bad_manifest', message, details, error);
  }
}

/** Whether a name of a host, with its port when that is not the usual one, is among those that were declared. */
export function isDeclaredHost(hosts: readonly string[], url: URL): boolean {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return false;
  const name = url.hostname.toLowerCase().replace(/\.$/, '');
  return hosts.some((declared) => {
    const [pattern = '', port = ''] = declared.split(':');
    if (url.port !== port) return false;
    return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1 : name === pattern;
  });
}
