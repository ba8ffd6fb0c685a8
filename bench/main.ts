// npm run bench [-- --quick] [--json] [--only NAME]: each figure beside its baseline, measured in the same run.
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './figure.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const files = (await readdir(import.meta.dirname)).filter(
  (file) => file.endsWith('.ts') && !['main.ts', 'figure.ts'].includes(file) && !file.endsWith('-entry.ts'),
);
const results: { name: string; goal: string; figure?: Figure; error?: string }[] = [];

for (const file of files.toSorted()) {
  if (values.only && !file.includes(values.only)) continue;
  const { default: bench } = (await import(`./${file}`)) as { default: Bench };
  if (!values.json) process.stderr.write(`${bench.name} …\n`);
  try {
    results.push({ name: bench.name, goal: bench.goal, figure: await bench.run({ quick: values.quick }) });
  } catch (error) {
    results.push({ name: bench.name, goal: bench.goal, error: (error as Error).stack ?? String(error) });
  }
}

if (values.json)
  console.log(
    JSON.stringify({ at: new Date().toISOString(), node: process.version, cpus: cpus().length, quick: values.quick, results }, null, 2),
  );
else for (const { name, goal, figure, error } of results) console.log(figure ? row(name, goal, figure) : `${name}: FAILED\n${error}`);
if (results.some(({ error }) => error)) process.exitCode = 1;

function row(name: string, goal: string, { baseline, value, unit, ratio, extra = {} }: Figure): string {
  const more = Object.entries(extra).map(([key, it]) => `${key} ${typeof it === 'number' ? short(it) : JSON.stringify(it)}`);
  return [
    `${name}`,
    `  ${short(value)} ${unit} beside ${short(baseline)} ${unit}: ratio ${short(ratio)}   (goal: ${goal})`,
    ...(more.length > 0 ? [`  ${more.join(', ')}`] : []),
  ].join('\n');
}

function short(n: number): string {
  return Number(n.toPrecision(3)).toString();
}
