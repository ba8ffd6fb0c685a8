import { secret, type Secret } from '../secret.ts';
import { bad } from './fault.ts';

/** What a first start puts into the vault; of each pair the first that is set. */
const SECRETS = {
  ANTHROPIC_API_KEY: ['ANTHROPIC_API_KEY'],
  GEMINI_API_KEY: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  OPENAI_API_KEY: ['OPENAI_API_KEY'],
  TELEGRAM_BOT_TOKEN: ['TELEGRAM_BOT_TOKEN'],
  DISCORD_BOT_TOKEN: ['DISCORD_BOT_TOKEN'],
  SLACK_BOT_TOKEN: ['SLACK_BOT_TOKEN'],
  SLACK_SIGNING_SECRET: ['SLACK_SIGNING_SECRET'],
  GITHUB_TOKEN: ['GITHUB_TOKEN'],
  SMTP_URL: ['SMTP_URL'],
} as const;

/** What a first start puts into the settings: base addresses of outside services. */
const ADDRESSES = [
  'ANTHROPIC_BASE_URL',
  'GOOGLE_GEMINI_BASE_URL',
  'OPENAI_BASE_URL',
  'TELEGRAM_API_ROOT',
  'DISCORD_API_ROOT',
  'SLACK_API_URL',
  'WHATSAPP_API_ROOT',
  'GITHUB_API_URL',
  'GOOGLE_API_ROOT',
] as const;

/** Local model servers, whose variables hold a host as often as an address; with the port each listens on. */
const HOSTS = { OLLAMA_HOST: 11434, LMSTUDIO_HOST: 1234 } as const;

export type SecretSeed = keyof typeof SECRETS;
export type AddressSeed = (typeof ADDRESSES)[number] | keyof typeof HOSTS;

/** Keys and addresses of outside services as the environment gave them, under the name of their variable. */
export interface Seeds {
  readonly secrets: Readonly<Partial<Record<SecretSeed, Secret>>>;
  /** http or https addresses without a slash at the end. */
  readonly addresses: Readonly<Partial<Record<AddressSeed, string>>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Collects the seeds; throws `config.invalid` for an address that is none. */
export function readSeeds(env: Variables): Seeds {
  const secrets = Object.entries(SECRETS).flatMap(([name, variables]) => {
    const value = variables.map((variable) => env[variable]?.trim()).find(Boolean);
    return value ? [[name, secret(value)]] : [];
  });
  const addresses = [
    ...ADDRESSES.map((name) => [name, env[name]?.trim(), readAddress] as const),
    ...Object.entries(HOSTS).map(([name, port]) => [name, env[name]?.trim(), hostReader(port)] as const),
  ].flatMap(([name, value, read]) => (value ? [[name, read(name, value)]] : []));
  return { secrets: Object.fromEntries(secrets), addresses: Object.fromEntries(addresses) };
}

/** The seeds as variables again, secrets in the open: only for what stores them. */
export function openSeeds({ secrets, addresses }: Seeds): Record<string, string> {
  const opened = Object.entries(secrets).map(([name, value]) => [name, value.use((text) => text)]);
  return { ...addresses, ...(Object.fromEntries(opened) as Record<string, string>) };
}

function readAddress(name: string, value: string): string {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol)) throw bad(name, 'is not an http(s) address', 'write it like https://api.example.com');
  return url.href.replace(/\/+$/, '');
}

/** `0.0.0.0:11434`, `box`, `http://box:11434`: where such a server is reached, by the port it listens on when none is given. */
function hostReader(defaultPort: number): (name: string, value: string) => string {
  return (name, value) => {
    const bare = !/^https?:\/\//i.test(value);
    const url = URL.parse(bare ? `http://${value}` : value);
    if (!url) throw bad(name, 'is not a host or an address', `write it like 127.0.0.1:${defaultPort}`);
    if (bare && !/:\d+$/.test(value)) url.port = String(defaultPort);
    // The address to listen on everywhere is not one to connect to.
    if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
    return readAddress(name, url.href);
  };
}
