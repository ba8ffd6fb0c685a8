import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './errors.ts';
import { secret, type Secret } from './secret.ts';

/** What the process needs to boot; read once. Everything else is a setting. */
export interface Config {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly ingressHost: string;
  readonly ingressPort: number;
  /** How vendors reach the ingress. */
  readonly publicUrl: string | null;
  /** `postgres://…`; null is SQLite in the home. */
  readonly databaseUrl: Secret | null;
  readonly node: string;
  readonly masterKey: Secret | undefined;
  readonly masterKeyFile: string | undefined;
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
  /** Addresses or CIDR ranges whose forwarded headers are believed. */
  readonly trustedProxy: string | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Variables that give settings, secrets and addresses their value at the first start. */
  readonly seeds: Readonly<Record<string, string | undefined>>;
}

const Port = z.coerce.number().int().min(0).max(65_535);

/** Each key with the variable that carries it; the file `castellan.json` in the home uses the keys. */
const Keys = {
  host: ['CASTELLAN_HOST', z.string().min(1).default('127.0.0.1')],
  port: ['CASTELLAN_PORT', Port.default(4848)],
  ingressHost: ['CASTELLAN_INGRESS_HOST', z.string().min(1).default('127.0.0.1')],
  ingressPort: ['CASTELLAN_INGRESS_PORT', Port.default(4849)],
  publicUrl: ['CASTELLAN_PUBLIC_URL', z.url({ protocol: /^https?$/ }).nullable().default(null)],
  databaseUrl: ['DATABASE_URL', z.string().regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres://').nullable().default(null)],
  node: ['CASTELLAN_NODE', z.string().regex(/^[\w.-]{1,100}$/, 'letters, digits, ".", "_" and "-" only').default(hostname)],
  masterKey: ['CASTELLAN_MASTER_KEY', z.string().optional()],
  masterKeyFile: ['CASTELLAN_MASTER_KEY_FILE', z.string().optional()],
  tlsCertFile: ['CASTELLAN_TLS_CERT_FILE', z.string().nullable().default(null)],
  tlsKeyFile: ['CASTELLAN_TLS_KEY_FILE', z.string().nullable().default(null)],
  trustedProxy: ['CASTELLAN_TRUSTED_PROXY', z.string().nullable().default(null)],
  logLevel: ['CASTELLAN_LOG_LEVEL', z.enum(['debug', 'info', 'warn', 'error']).default('info')],
} as const satisfies Record<string, readonly [string, z.ZodType]>;

type Key = keyof typeof Keys;
const OTHER_VARIABLES = ['CASTELLAN_HOME', 'CASTELLAN_TEST_DATABASE_URL', 'CASTELLAN_TEST_BROWSER'];
const SEEDS = [
  'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY', 'OPENAI_API_KEY', 'OLLAMA_HOST', 'LMSTUDIO_HOST',
  'TELEGRAM_BOT_TOKEN', 'DISCORD_BOT_TOKEN', 'SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET', 'GITHUB_TOKEN', 'SMTP_URL',
  'ANTHROPIC_BASE_URL', 'GOOGLE_GEMINI_BASE_URL', 'OPENAI_BASE_URL', 'TELEGRAM_API_ROOT', 'DISCORD_API_ROOT', 'SLACK_API_URL',
  'WHATSAPP_API_ROOT', 'GITHUB_API_URL', 'GOOGLE_API_ROOT', 'TZ',
] as const;

export type Env = Readonly<Record<string, string | undefined>>;

/** Flags of the command line beat the environment, which beats the file. Throws `config.unknown_key` or `config.invalid`. */
export async function readConfig(env: Env, flags: { readonly home?: string; readonly host?: string; readonly port?: string; readonly ingressPort?: string } = {}): Promise<Config> {
  const home = resolve(flags.home ?? env['CASTELLAN_HOME'] ?? join(homedir(), '.castellan'));
  refuseUnknown(Object.keys(env).filter((name) => name.startsWith('CASTELLAN_')), [...Object.values(Keys).map(([name]) => name), ...OTHER_VARIABLES], 'environment variable');
  const file = await readFileOf(join(home, 'castellan.json'));
  refuseUnknown(Object.keys(file), Object.keys(Keys), 'key in castellan.json');
  const given: Readonly<Record<string, string | undefined>> = { host: flags.host, port: flags.port, ingressPort: flags.ingressPort };
  const value = <K extends Key>(key: K): z.output<(typeof Keys)[K][1]> => {
    const [variable, schema] = Keys[key];
    const text = given[key] ?? (env[variable] === '' ? undefined : env[variable]);
    const result = (schema as z.ZodType).safeParse(text ?? file[key]);
    if (result.success) return result.data as never;
    const source = given[key] !== undefined ? `--${key}` : text !== undefined ? variable : `castellan.json: ${key}`;
    throw new AppError('invalid', 'config.invalid', `${source}: ${result.error.issues[0]?.message ?? 'is not valid'}`, { key, source });
  };
  const databaseUrl = value('databaseUrl');
  const masterKey = value('masterKey');
  return {
    home,
    host: value('host'),
    port: value('port'),
    ingressHost: value('ingressHost'),
    ingressPort: value('ingressPort'),
    publicUrl: value('publicUrl'),
    databaseUrl: databaseUrl === null ? null : secret(databaseUrl),
    node: value('node'),
    masterKey: masterKey === undefined ? undefined : secret(masterKey),
    masterKeyFile: value('masterKeyFile'),
    tlsCertFile: value('tlsCertFile'),
    tlsKeyFile: value('tlsKeyFile'),
    trustedProxy: value('trustedProxy'),
    logLevel: value('logLevel'),
    seeds: Object.fromEntries(SEEDS.map((name) => [name, env[name] === '' ? undefined : env[name]])),
  };
}

async function readFileOf(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new AppError('invalid', 'config.unreadable', `Cannot read ${path}: ${error.code}`, { path }, error);
  });
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('invalid', 'config.malformed', `${path} is not a JSON object: ${(cause as Error).message}`, { path }, cause);
  }
}

function refuseUnknown(names: readonly string[], known: readonly string[], what: string): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = known.toSorted((a, b) => distance(a, unknown) - distance(b, unknown))[0]!;
  const hint = distance(near, unknown) <= 4 ? `; did you mean ${near}?` : '';
  throw new AppError('invalid', 'config.unknown_key', `Unknown ${what} "${unknown}"${hint}`, { key: unknown, nearest: near });
}

/** Edits between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** Whether an address is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Beyond loopback the owner's side starts only with a password, and with TLS or a proxy that has it. Throws `config.exposed`. */
export function assertBindAllowed({ host, tlsCertFile, tlsKeyFile, trustedProxy }: Config, facts: { readonly hasPassword: boolean }): void {
  if (isLoopback(host)) return;
  const missing = [
    ...(facts.hasPassword ? [] : ['a password (start once on 127.0.0.1 and set it)']),
    ...((tlsCertFile && tlsKeyFile) || trustedProxy ? [] : ['TLS (CASTELLAN_TLS_CERT_FILE and CASTELLAN_TLS_KEY_FILE) or an explicitly trusted proxy (CASTELLAN_TRUSTED_PROXY)']),
  ];
  if (missing.length > 0) throw new AppError('invalid', 'config.exposed', `CASTELLAN_HOST ${host} can be reached from other machines; that needs ${missing.join(' and ')}`, { host });
}
