import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type Client } from '#core/client';
import type { Environment } from '#core/config';
import { AppError } from '#core/errors';
import { createFactorAsker } from './ask-factor.ts';

/** What every command is given. */
export interface Cli {
  /** Absolute. */
  readonly home: string;
  readonly json: boolean;
  readonly env: Environment;
  /** The program's own version. */
  readonly version: string;
  /** The running agent's API; throws `agent.not_running` (exit 69) when there is none, `cli.no_token` (77) when it may not be used. */
  client(): Promise<Client>;
  /** The same, or null with no agent: for commands that then work on the home itself. */
  clientIfRunning(): Promise<Client | null>;
  /** The result: one JSON document with `--json`, else words for a person. */
  print(value: unknown, words: () => string): void;
  /** Progress and remarks, on standard error; silent with `--json`. */
  say(line: string): void;
  /** The whole of standard input, as text. */
  input(): Promise<string>;
}

/** Where the agent wrote that it listens. */
export interface AgentFacts {
  readonly url: string;
  /** The way for programs of this account, where the port wants a certificate or a proxy. */
  readonly socket?: string;
  readonly pid: number;
  readonly version?: string;
}

/** What the agent wrote at its start, or null when no such process lives. */
export async function readAgentFacts(home: string): Promise<AgentFacts | null> {
  try {
    const facts = JSON.parse(await readFile(join(home, 'run', 'agent.json'), 'utf8')) as AgentFacts;
    process.kill(facts.pid, 0);
    return facts;
  } catch {
    return null;
  }
}

/** How the running agent is spoken to from its own machine. */
export async function wayTo({ url, socket }: AgentFacts): Promise<{ readonly fetch: typeof globalThis.fetch; readonly base: string }> {
  if (!socket && url.startsWith('https:')) {
    const message =
      'The agent speaks TLS, and the path of its home is too long for the socket that the command line comes by: move it to a shorter one';
    throw new AppError('unavailable', 'agent.unreachable', message);
  }
  if (!socket) return { fetch: globalThis.fetch, base: url };
  const { fetchBySocket } = await import('#core/fetch/own-socket');
  return { fetch: fetchBySocket(socket), base: 'http://localhost' };
}

export interface CliOptions extends Pick<Cli, 'home' | 'json' | 'env' | 'version'> {
  /** Of the option `--code`: a second factor for what this command asks. */
  readonly code?: string | undefined;
}

export function createCli({ home, json, env, version, code }: CliOptions): Cli {
  const askFactor = createFactorAsker(code);

  async function clientIfRunning(): Promise<Client | null> {
    const facts = await readAgentFacts(home);
    if (!facts) return null;
    const { readControlToken } = await import('#owner');
    const token = await readControlToken(home);
    if (!token) throw noToken(home);
    const headers = (): Record<string, string> => token.use((value) => ({ authorization: `Bearer ${value}` }));
    return createClient({ ...(await wayTo(facts)), headers, askFactor });
  }

  return {
    home,
    json,
    env,
    version,
    clientIfRunning,
    async client() {
      const client = await clientIfRunning();
      if (!client) throw notRunning(home);
      return client;
    },
    print(value, words) {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : endLine(words()));
    },
    say(line) {
      if (!json) process.stderr.write(endLine(line));
    },
    async input() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

function notRunning(home: string): AppError {
  return new AppError('unavailable', 'agent.not_running', `No agent runs on ${home}. Start it with "castellan start".`, { home });
}

function noToken(home: string): AppError {
  const path = join(home, 'run', 'cli.token');
  const message = `${path} is missing, damaged or open to others, so the running agent would not know you: stop it and start it again`;
  return new AppError('forbidden', 'cli.no_token', message, { path });
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
