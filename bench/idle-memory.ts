// Memory and processor time of an idle agent, launcher included, beside Fastify with node:sqlite and one table.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { end, startAgent, startBaseline, treeMb, untilReady } from './cold-start.ts';
import type { Bench } from './figure.ts';

const TICKS_PER_SECOND = 100;

const bench: Bench = {
  name: 'Idle memory after a minute, whole process tree',
  goal: 'at most 1.5 of the baseline; processor below 0.2 %',
  async run({ quick }) {
    const home = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
    const first = startAgent(join(home, 'agent'));
    await untilReady(first); // seeds the home, so that what is measured is idle
    await sleep(8_000);
    await end(first);
    const both = [startBaseline(join(home, 'baseline.db')), startAgent(join(home, 'agent'))];
    try {
      await Promise.all(both.map(untilReady));
      await sleep(quick ? 10_000 : 60_000);
      const before = await ticks(both[1]!.child.pid!);
      await sleep(quick ? 5_000 : 30_000);
      const cpuPercent = (((await ticks(both[1]!.child.pid!)) - before) / TICKS_PER_SECOND / (quick ? 5 : 30)) * 100;
      const [base, ours] = await Promise.all(both.map(({ child }) => treeMb(child.pid!)));
      return {
        baseline: base!.pss,
        value: ours!.pss,
        unit: 'MB (PSS)',
        ratio: ours!.pss / base!.pss,
        extra: { baselineRss: base!.rss, rss: ours!.rss, cpuPercent },
      };
    } finally {
      await Promise.all(both.map(end));
      await rm(home, { recursive: true });
    }
  },
};
export default bench;

/** Processor time of a process and all below it (proc(5), fields 14 and 15 of stat). */
async function ticks(pid: number): Promise<number> {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
  const below = await Promise.all(children.map((child) => ticks(Number(child))));
  return below.reduce((sum, it) => sum + it, Number(stat[11]) + Number(stat[12]));
}
