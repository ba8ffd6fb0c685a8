import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '#core/clock';
import type { Json } from '#core/json';
import { nursery, type NurseryChild } from '#core/nursery';
import type { SkillResult } from '../contract.ts';
import { testContext, type TestContext, type World } from '../testing.ts';
import { Manifest } from './manifest.ts';
import { sandboxCommand, type SandboxCommand, type SandboxJob } from './command.ts';
import { createSandbox } from './sandbox.ts';
import { createWallProbe, type Walls } from './walls.ts';

/** Which walls a test runs behind. */
export type WallsOfTest = 'bubblewrap and deno' | 'deno alone';

/** Those of this machine, and a loud line for each that it lacks. */
export async function wallsHere(): Promise<readonly WallsOfTest[]> {
  const walls = await createWallProbe().look();
  for (const line of walls.missing) process.stderr.write(`SKIPPED behind a wall that is not here: ${line}\n`);
  return [...(walls.bubblewrap ? ['bubblewrap and deno' as const] : []), ...(walls.deno === null ? [] : ['deno alone' as const])];
}

export interface SandboxTest extends AsyncDisposable {
  readonly walls: Walls;
  readonly folder: string;
  /** Runs a skill whose `main.ts` is this, or the body of its `run`. */
  run(
    main: string,
    over?: { manifest?: Partial<Manifest>; input?: Json; config?: Json; world?: World; files?: Readonly<Record<string, string>> },
  ): Promise<SkillResult>;
  /** The context of the last run. */
  readonly context: TestContext;
  processes(): readonly NurseryChild[];
  /** Folders of runs that were not thrown away. */
  left(): Promise<readonly string[]>;
}

/** A sandbox with real processes, and a context without a program behind it. */
export async function setupSandbox(
  which: WallsOfTest,
  options: { readonly atOnce?: number; readonly cpuGraceS?: number; readonly openDeno?: boolean } = {},
): Promise<SandboxTest> {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-skill-'));
  const probe = createWallProbe(which === 'deno alone' ? { bubblewrap: null } : {});
  const children = nursery('skills', { limit: 16, onEvent: () => {} });
  const running = await children.start({ signal: new AbortController().signal, exit: () => {} });
  const scratchFolder = join(folder, 'scratch');
  const { openDeno = false, ...rest } = options;
  const commandOf = openDeno ? withOpenDeno : sandboxCommand;
  const sandbox = createSandbox({ nursery: children, walls: probe, clock: systemClock, scratchFolder, commandOf, ...rest });
  let context = testContext();
  let nth = 0;
  return {
    walls: await probe.look(),
    folder,
    get context() {
      return context;
    },
    async run(main, { manifest = {}, input = null, config = {}, world = {}, files = {} } = {}) {
      nth += 1;
      const home = join(folder, `skill-${nth}`);
      const source = main.includes('export default') ? main : skillOf(main);
      for (const [path, text] of Object.entries({ 'main.ts': source, ...files })) {
        await mkdir(dirname(join(home, path)), { recursive: true });
        await writeFile(join(home, path), text);
      }
      context = testContext({ ...world, input });
      const read = Manifest.parse({ name: 'probe', version: '1.0.0', description: 'For tests.', ...manifest });
      return sandbox.run({ manifest: read, folder: home, input, config, context });
    },
    processes: () => children.list(),
    left: () => readdir(scratchFolder).catch(() => []),
    async [Symbol.asyncDispose]() {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A skill that ends with what this body returns. */
export function skillOf(body: string): string {
  return `import { skill, SkillError } from '#skill';
export default skill<any, any>({
  async run({ input, config, context }) {
    const output = await (async () => {
${body}
    })();
    return { outcome: 'on_success', output: output ?? null };
  },
});
`;
}

/** As if deno had a hole: it holds nothing back. */
function withOpenDeno(job: SandboxJob): SandboxCommand {
  const command = sandboxCommand(job);
  const args = command.args
    .filter((arg) => !arg.startsWith('--deny-'))
    .map((arg) => (arg.startsWith('--allow-read=') ? '--allow-all' : arg));
  return { ...command, args };
}
