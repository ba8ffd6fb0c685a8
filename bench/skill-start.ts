import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setupSandbox, wallsHere } from '../src/domain/skills/installed/testbed.ts';
import { median } from './figure.ts';

/** A whole run of an installed skill, from the call to its answer and the end of its process, beside deno doing nothing. */
export default {
  name: 'Installed skill: a run in a process of its own',
  goal: 'at most 4 times a bare deno; under 50 ms on an idle machine',

  async run({ quick }: { quick: boolean }) {
    const [strongest] = await wallsHere();
    if (strongest === undefined) throw new Error('there is no deno here');
    await using sandbox = await setupSandbox(strongest);
    const nothing = join(sandbox.folder, 'nothing.js');
    await writeFile(nothing, 'Deno.exit(0)');
    const [bare, runs]: [number[], number[]] = [[], []];
    // In turns, so that whatever else the machine does weighs on both.
    for (let i = 0; i < (quick ? 15 : 60); i += 1) {
      bare.push(await time(() => once(spawn(sandbox.walls.deno!, ['run', '--no-config', nothing], { env: {}, stdio: 'ignore' }), 'exit')));
      runs.push(await time(() => sandbox.run('return 1;')));
    }
    const [baseline, value] = [median(bare), median(runs)];
    return { baseline, value, unit: 'ms', ratio: value / baseline, extra: { walls: strongest, fastest: Math.min(...runs) } };
  },
};

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
