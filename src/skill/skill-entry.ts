// What deno starts: reads the first line, imports the skill, runs it once, says how it ended. Nothing here is a wall: the walls are
// around this process, and a skill may write to the wire itself. It only gains the voice it has anyway.
import { createSkillClient, type SkillClient } from './client.ts';
import { SkillError } from './error.ts';
import type { Skill } from './index.ts';
import { PROTOCOL, type FromSkill, type Json, type ToSkill, type WireError } from './protocol.ts';

declare const Deno: {
  readonly stdin: { readonly readable: AsyncIterable<Uint8Array> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
};
declare function addEventListener(type: string, listener: (event: { preventDefault(): void; readonly reason: unknown }) => void): void;

const encoder = new TextEncoder();

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}

const send = (message: FromSkill): void => write(Deno.stdout, `${JSON.stringify(message)}\n`);

/** A skill may print: its words go to the log, not into the protocol. */
function printToLog(): void {
  const level = { log: 'info', info: 'info', debug: 'debug', warn: 'warn', error: 'error', trace: 'debug' } as const;
  for (const [name, as] of Object.entries(level))
    (console as unknown as Record<string, unknown>)[name] = (...words: unknown[]) =>
      send({ type: 'log', level: as, message: words.map(wordOf).join(' ').slice(0, 4_000) });
}

function wordOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ?? value.message;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function end(message: FromSkill): never {
  send(message);
  Deno.exit(0);
}

function toWire(thrown: unknown): WireError {
  if (thrown instanceof SkillError) return { kind: thrown.kind, code: thrown.code, message: thrown.message, details: thrown.details };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const where = /\/([\w./-]+\.[jt]s:\d+):\d+/.exec(error.stack ?? '')?.[1];
  const message = `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}${where ? ` (${where})` : ''}`;
  return { kind: 'unavailable', code: 'skill.failed', message };
}

async function run(main: string, client: SkillClient, input: Json, config: Json): Promise<void> {
  try {
    const loaded = (await import(main)) as { readonly default?: Skill };
    if (typeof loaded.default?.run !== 'function')
      throw new SkillError(
        'skill.no_run',
        'main.ts has no skill: write "export default skill({ async run({ input, config, context }) { … } })"',
      );
    const result = await loaded.default.run({ input, config, context: client.context });
    if (typeof result?.outcome !== 'string')
      throw new SkillError('skill.no_outcome', 'run ended without an outcome: return { outcome: "on_success", output: … }');
    end({ type: 'done', outcome: result.outcome, output: result.output ?? null });
  } catch (error) {
    end({ type: 'failed', error: toWire(error) });
  }
}

async function listen(): Promise<void> {
  const decoder = new TextDecoder();
  let client: SkillClient | null = null;
  let held = '';
  for await (const chunk of Deno.stdin.readable) {
    const lines = (held + decoder.decode(chunk, { stream: true })).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line) as ToSkill;
      if (message.type !== 'start') {
        client?.hear(message);
        continue;
      }
      if (message.protocol !== PROTOCOL)
        end({ type: 'failed', error: { kind: 'conflict', code: 'skill.protocol', message: `This SDK speaks protocol ${PROTOCOL}` } });
      client = createSkillClient(message.start, send);
      void run(message.main, client, message.start.input, message.start.config);
    }
  }
  Deno.exit(70);
}

addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  end({ type: 'failed', error: toWire(event.reason) });
});
printToLog();
void listen();
