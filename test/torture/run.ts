// npm run torture [-- --kills 300 --runs 60]: the kill test, long, with its counts printed.
import { parseArgs } from 'node:util';
import { killTest } from './kill.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '300' }, runs: { type: 'string', default: '150' } } });
const report = await killTest({ kills: Number(values.kills), runs: Number(values.runs), random: Math.random });
console.log(report);
const bad = report.lostSteps + report.lostEffects + report.doubledEffects + report.wrongRuns;
console.log(
  bad === 0
    ? `ok: ${report.kills} kills, ${report.steps} steps, nothing lost, nothing doubled, ${report.unknown} left to the owner`
    : 'FAILED',
);
process.exit(bad === 0 ? 0 : 1);
