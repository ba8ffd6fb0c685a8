import { readFile } from 'node:fs/promises';
import { hostname, homedir } from 'node:os';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { bad, unknown } from './config/fault.ts';
import { options, type Given, type Option, type OptionKey } from './config/options.ts';
import { readSeeds, type Seeds } from './config/seeds.ts';
import { AppError, exitCode } from './errors.ts';
import type { Secret } from './secret.ts';
import type { LogLevel } from './log.ts';

export { openSeeds, type Seeds } from './config/seeds.ts';

/** What the process needs to boot. What the owner changes at run time is a setting instead. */
export interface Config {
  /** Absolute path of the home folder. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly ingressHost: string;
  readonly ingressPort: number;
  /** How vendors reach the ingress, without a slash at the end. */
  readonly publicUrl?: string;
  /** Absent: SQLite in the home. */
  readonly databaseUrl?: Secret;
  readonly node: string;
  readonly masterKey?: Secret;
  readonly masterKeyFile?: string;
  /** Where the passphrase of the vault is read from. */
  readonly passphraseFd?: number;
  /** Where systemd put credentials; `castellan-passphrase` may be among them. */
  readonly credentials?: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Absent: the owner's side speaks plain HTTP. */
  readonly tls?: TlsConfig;
  /** Names that the owner's side is called by, besides its address and those of loopback. */
  readonly hostNames: readonly string[];
  /** Addresses and CIDR ranges whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  /** Where the programs of the machine are: the `PATH`. */
  readonly path: string;
  readonly seeds: Seeds;
}

/** PEM files of the owner's side. */
export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  /** They are in the home, and made where they are missing. */
  readonly isMade: boolean;
  /** Mutual TLS: who has no certificate of this authority gets no further than the handshake. */
  readonly clientCaFile?: string;
  /** That authority is the one in the home: each certificate must be one it is known to have made. */
  readonly isOwnClientCa: boolean;
}

/** The folder of keys and certificates that the program makes for itself. */
export function tlsFolder(home: string): string {
  return join(home, 'tls');
}

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line said, under the keys of the options. */
export type ConfigFlags = { readonly home?: string | undefined } & { readonly [K in OptionKey]?: string | number | undefined };

const DEFAULTS = {
  host: '127.0.0.1',
  port: 4848,
  ingressHost: '127.0.0.1',
  ingressPort: 4849,
  logLevel: 'info',
  logFormat: 'auto',
} as const;

/**
 * Reads the boot configuration: a flag beats the environment, that beats `castellan.json` in the home. Throws `config.unknown_key`, `config.invalid` or `config.unreadable`, all of which end the start.
 */
export async function readConfig(env: Environment, flags: ConfigFlags = {}): Promise<Config> {
  const { home: _, ...flagged } = flags;
  refuseUnknownVariables(env);
  const home = homeFolder(env, flags.home);
  const given: Given = {
    ...(await readOptionsFile(join(home, 'castellan.json'))),
    ...readOptions(
      env,
      (key) => options[key].env,
      (key) => options[key].env,
    ),
    ...readOptions(
      flagged,
      (key) => key,
      (key) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    ),
  };
  const {
    tls: _tls,
    tlsCert: _cert,
    tlsKey: _key,
    tlsClients: _clients,
    tlsClientCa: _ca,
    trustedProxy = [],
    hostNames = [],
    ...rest
  } = given;
  const tls = tlsOf(given, home);
  if (rest.masterKey && rest.masterKeyFile)
    throw bad('CASTELLAN_MASTER_KEY', 'and CASTELLAN_MASTER_KEY_FILE are both set', 'keep one of them');
  const config = {
    ...DEFAULTS,
    node: hostname(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...rest,
    home,
    ...(tls && { tls }),
    hostNames,
    trustedProxies: trustedProxy,
    path: env['PATH'] ?? '',
    seeds: readSeeds(env),
  };
  if (config.port !== 0 && config.port === config.ingressPort)
    throw bad('CASTELLAN_INGRESS_PORT', "is the port of the owner's side", 'give the public side a port of its own');
  return config;
}

function tlsOf({ tls, tlsCert, tlsKey, tlsClients, tlsClientCa }: Given, home: string): TlsConfig | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw bad(tlsCert ? 'CASTELLAN_TLS_KEY' : 'CASTELLAN_TLS_CERT', 'is missing', 'TLS needs both the certificate and its key');
  if (tls === false && tlsCert) throw bad('CASTELLAN_TLS', 'is off, and CASTELLAN_TLS_CERT is set', 'keep one of them');
  const isOn = tls === true || tlsCert !== undefined;
  const isMutual = tlsClients === 'certified';
  if (!isOn && isMutual) throw bad('CASTELLAN_TLS_CLIENTS', 'asks for certificates, and there is no TLS', 'set CASTELLAN_TLS to on');
  if (tlsClientCa && !isMutual)
    throw bad('CASTELLAN_TLS_CLIENT_CA', 'is set, and nobody is asked', 'set CASTELLAN_TLS_CLIENTS to certified');
  if (!isOn) return undefined;
  const folder = tlsFolder(home);
  return {
    certFile: tlsCert ?? join(folder, 'server.crt'),
    keyFile: tlsKey ?? join(folder, 'server.key'),
    isMade: tlsCert === undefined,
    ...(isMutual && { clientCaFile: tlsClientCa ?? join(folder, 'ca.crt') }),
    isOwnClientCa: isMutual && tlsClientCa === undefined,
  };
}

/** The home folder by itself, for commands that need nothing else: `--home`, `CASTELLAN_HOME`, or `.castellan` of the user. */
export function homeFolder(env: Environment, flag?: string): string {
  const named = flag ?? env['CASTELLAN_HOME']?.trim();
  if (!named) return join(homedir(), '.castellan');
  return resolve(named.replace(/^~(?=$|[/\\])/, homedir()));
}

/** What only the running program knows of itself when it is about to listen. */
export interface BindFacts {
  readonly hasPassword: boolean;
  /** Whether anybody has a certificate to come in with. */
  readonly hasClients?: boolean;
}

/**
 * Throws `config.bind_refused` when the owner's side would be open to the network without a password and encryption, `config.no_clients`
 * when nobody could come in.
 */
export function assertBindAllowed(
  config: Pick<Config, 'host' | 'tls' | 'trustedProxies'>,
  { hasPassword, hasClients = true }: BindFacts,
): void {
  if (config.tls?.isOwnClientCa && !hasClients) {
    const message =
      'CASTELLAN_TLS_CLIENTS lets in only who has a certificate, and nobody has one: make one first with castellan certs client NAME';
    throw new AppError('invalid', 'config.no_clients', message);
  }
  if (isLoopback(config.host)) return;
  const missing = [
    ...(config.tls || config.trustedProxies.length > 0
      ? []
      : ['TLS (CASTELLAN_TLS=on, or CASTELLAN_TLS_CERT and CASTELLAN_TLS_KEY) or a trusted proxy that ends it (CASTELLAN_TRUSTED_PROXY)']),
    ...(hasPassword ? [] : ["the owner's password (start on 127.0.0.1 once and set it)"]),
  ];
  if (missing.length === 0) return;
  const message = `CASTELLAN_HOST ${config.host} is beyond this machine, which needs ${missing.join(' and ')}; or use 127.0.0.1`;
  throw new AppError('invalid', 'config.bind_refused', message, { host: config.host });
}

/** Whether an address can only be reached from this machine (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Neither the database nor the port mends itself by starting again. */
const NEEDS_THE_OWNER = ['store.corrupt', 'store.unsafe_engine', 'http.port_in_use', 'http.port_not_allowed', 'http.no_such_address'];

/** How a process ends that could not start, by sysexits(3): 78 configuration or home, 75 home in use, 70 a bug. The launcher reads it. */
export function bootExitCode(thrown: unknown): number {
  if (!(thrown instanceof AppError)) return 70;
  const { kind, code } = thrown;
  if (code === 'home.in_use') return 75;
  if (code === 'home.disk_full') return 1;
  if (code.startsWith('config.') || code.startsWith('home.') || NEEDS_THE_OWNER.includes(code)) return 78;
  return exitCode[kind] === 2 ? 78 : exitCode[kind];
}

function refuseUnknownVariables(env: Environment): void {
  const known = [
    'CASTELLAN_HOME',
    ...Object.values(options)
      .map((each) => each.env)
      .filter((name) => name.startsWith('CASTELLAN_')),
  ];
  for (const name of Object.keys(env)) {
    // Tests are told of servers by CASTELLAN_TEST_…
    if (!name.startsWith('CASTELLAN_') || name.startsWith('CASTELLAN_TEST_') || known.includes(name)) continue;
    const isKubernetes = /^CASTELLAN_(SERVICE|PORT)_/.test(name) && env['KUBERNETES_SERVICE_HOST'] !== undefined;
    throw unknown(
      name,
      'The environment',
      known,
      isKubernetes ? ' (Kubernetes adds it for a service of that name: set enableServiceLinks to false)' : '',
    );
  }
}

/** Reads each option from one source; text that is empty counts as not given, as in a compose file. */
function readOptions(
  source: Readonly<Record<string, unknown>>,
  nameOf: (key: OptionKey) => string,
  shown: (key: OptionKey) => string,
): Given {
  const read = (Object.keys(options) as OptionKey[]).flatMap((key) => {
    const raw = source[nameOf(key)];
    const value = typeof raw === 'string' ? raw.trim() : raw;
    if (value === undefined || value === '') return [];
    const { schema, fix }: Option<unknown> = options[key];
    const result = schema.safeParse(value);
    if (!result.success) throw bad(shown(key), 'has a value that cannot be used', fix);
    return [[key, result.data]];
  });
  return Object.fromEntries(read) as Given;
}

async function readOptionsFile(path: string): Promise<Given> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const { code = 'it is not valid JSON' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new AppError('invalid', 'config.unreadable', `${path} cannot be read: ${code}. Correct it or remove it`, { path });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw bad(path, 'is not a JSON object', 'write { "port": 4848 }');
  const known = (Object.keys(options) as OptionKey[]).filter((key) => (options[key] as Option<unknown>).envOnly !== true);
  for (const key of Object.keys(value)) if (key !== '$schema' && !known.includes(key as OptionKey)) throw unknown(key, path, known);
  return readOptions(
    value as Record<string, unknown>,
    (key) => key,
    (key) => `${path}: ${key}`,
  );
}
