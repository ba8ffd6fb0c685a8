import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '#core/client';
import { AppError } from '#core/errors';
import { readControlToken } from '#owner';

/** What every command is given. */
export interface Cli {
  readonly home: string;
  readonly json: boolean;
  /** The running agent's API; throws `agent.not_running` (exit 69) when there is none. */
  client(): Promise<Client>;
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
  readonly pid: number;
}

export function homeFolder(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return option ?? env['CASTELLAN_HOME'] ?? join(homedir(), '.castellan');
}

export async function readAgentFacts(home: string): Promise<AgentFacts | null> {
  try {
    const facts = JSON.parse(await readFile(join(home, 'run', 'agent.json'), 'utf8')) as AgentFacts;
    process.kill(facts.pid, 0);
    return facts;
  } catch {
    return null;
  }
}

export function createCli({ home, json }: { readonly home: string; readonly json: boolean }): Cli {
  return {
    home,
    json,
    async client() {
      const [facts, token] = [await readAgentFacts(home), await readControlToken(home)];
      if (!facts || !token) throw notRunning(home);
      const api = createClient({ fetch: globalThis.fetch, base: facts.url, headers: () => token.use((value) => ({ authorization: `Bearer ${value}` })) });
      return api;
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

export function notRunning(home: string): AppError {
  return new AppError('unavailable', 'agent.not_running', `No agent runs on ${home}. Start it with "castellan start".`, { home });
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
