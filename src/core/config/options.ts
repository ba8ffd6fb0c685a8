import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { secret, type Secret } from '../secret.ts';
import { logLevels } from '../log/entry.ts';
import { isNetwork } from './networks.ts';

/** One thing to configure: by a flag or the file under its key, by the environment under `env`. */
export interface Option<T> {
  readonly env: string;
  /** Reads the value from text or from JSON. */
  readonly schema: z.ZodType<T>;
  /** What to write instead of a bad value. */
  readonly fix: string;
  /** Only the environment may hold it: a file is copied and backed up. */
  readonly envOnly?: boolean;
}

function option<T>(env: string, schema: z.ZodType<T>, fix: string, envOnly = false): Option<T> {
  return { env, schema, fix, envOnly };
}

const Port = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number),
  ])
  .refine((port) => port >= 0 && port <= 65_535);
const Descriptor = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .refine((fd) => fd >= 3);
const Host = z.string().regex(/^[A-Za-z0-9.:_-]+$/);
const AbsolutePath = z.string().refine(isAbsolute);
const listOf = (isOne: (text: string) => boolean) =>
  z
    .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
    .pipe(z.array(z.string().trim().toLowerCase().refine(isOne)).min(1).max(100));
const isHostName = (text: string): boolean =>
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
const Switch = z.union([z.boolean(), z.enum(['on', 'off']).transform((text) => text === 'on')]);
const PublicUrl = z.string().transform((text, context) => {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username) return url.href.replace(/\/+$/, '');
  context.addIssue('not a public address');
  return z.NEVER;
});
const DatabaseUrl = z
  .string()
  .refine((text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? ''))
  .transform((text): Secret => secret(text));
/** `Europe/Vienna`, and the POSIX forms `:Europe/Vienna` and `:/usr/share/zoneinfo/Europe/Vienna`. */
const TimeZone = z
  .string()
  .transform((text) => text.replace(/^:/, '').replace(/^\/.*\/zoneinfo\//, ''))
  .refine(isTimeZone);
const TextSecret = z
  .string()
  .min(1)
  .transform((text): Secret => secret(text));

/** All there is to configure before the start; the rest are settings. */
export const options = {
  host: option('CASTELLAN_HOST', Host, 'write a host name or an IP address, like 127.0.0.1'),
  port: option('CASTELLAN_PORT', Port, 'write a number from 0 to 65535'),
  ingressHost: option('CASTELLAN_INGRESS_HOST', Host, 'write a host name or an IP address, like 127.0.0.1'),
  ingressPort: option('CASTELLAN_INGRESS_PORT', Port, 'write a number from 0 to 65535'),
  publicUrl: option('CASTELLAN_PUBLIC_URL', PublicUrl, 'write it like https://hooks.example.com, without a query'),
  databaseUrl: option('DATABASE_URL', DatabaseUrl, 'write it like postgres://user:password@host:5432/name, or leave it out for SQLite'),
  node: option('CASTELLAN_NODE', z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/), 'write up to 63 letters, digits, dots and dashes'),
  masterKey: option('CASTELLAN_MASTER_KEY', TextSecret, 'write the key, or leave it out for a key file in the home', true),
  masterKeyFile: option('CASTELLAN_MASTER_KEY_FILE', AbsolutePath, 'write the absolute path of a file'),
  passphraseFd: option('CASTELLAN_PASSPHRASE_FD', Descriptor, 'write the number of an open file descriptor, from 3 on', true),
  credentials: option('CREDENTIALS_DIRECTORY', AbsolutePath, 'systemd sets it; leave it alone', true),
  timeZone: option('TZ', TimeZone, 'write the name of a time zone, like Europe/Vienna'),
  tls: option('CASTELLAN_TLS', Switch, 'write on or off'),
  tlsCert: option('CASTELLAN_TLS_CERT', AbsolutePath, 'write the absolute path of a PEM file'),
  tlsKey: option('CASTELLAN_TLS_KEY', AbsolutePath, 'write the absolute path of a PEM file'),
  tlsClients: option(
    'CASTELLAN_TLS_CLIENTS',
    z.enum(['any', 'certified']),
    'write any, or certified to let in only browsers with a certificate',
  ),
  tlsClientCa: option('CASTELLAN_TLS_CLIENT_CA', AbsolutePath, 'write the absolute path of a PEM file'),
  hostNames: option(
    'CASTELLAN_HOST_NAMES',
    listOf(isHostName),
    "write the names that the owner's side is called by, separated by commas: castle.example",
  ),
  trustedProxy: option(
    'CASTELLAN_TRUSTED_PROXY',
    listOf(isNetwork),
    'write the addresses or CIDR ranges of the proxy, separated by commas; not all of the internet',
  ),
  logLevel: option('CASTELLAN_LOG_LEVEL', z.enum(logLevels), `write one of ${logLevels.join(', ')}`),
  logFormat: option('CASTELLAN_LOG_FORMAT', z.enum(['auto', 'json', 'pretty']), 'write auto, json or pretty'),
} as const satisfies Record<string, Option<unknown>>;

export type OptionKey = keyof typeof options;
/** What was given, under the keys of the options. */
export type Given = { readonly [K in OptionKey]?: z.output<(typeof options)[K]['schema']> };

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
