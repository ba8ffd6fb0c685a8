// `npm test [-- --modules | FILE …]`: the tests in random order, in as many processes side by side as the machine bears. `--modules` leaves out those
// that start whole programs; with files or globs only these run. One line for each process, and the output of what failed.
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** What one process runs. */
interface Batch {
  readonly name: string;
  readonly files: readonly string[];
}

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'castellan');
const TIMES = join(CACHE, 'test-times.json');
const MODULES = ['src/**/*.test.ts', 'examples/**/*.test.ts', 'tools/**/*.test.ts', 'test/house-rules.test.ts'];
const WHOLE_PROGRAM = ['test/*.test.ts', 'src/launcher.test.ts'];
const FLAGS = ['--disable-warning=ExperimentalWarning', '--test', '--test-isolation=none', '--test-reporter=spec'];
const COUNTS = ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
const LONGEST_MS = 10 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: 'boolean', default: false }, seed: { type: 'string' } },
});
const start = performance.now();
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const times = knownTimes();
const waiting = batches().toSorted((a, b) => (times[b.name] ?? b.files.length * 1_000) - (times[a.name] ?? a.files.length * 1_000));
const total = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<(typeof COUNTS)[number], number>;
const failed: string[] = [];

// Much of what tests do is wait for processes and timers: one more than there are cores keeps these busy.
await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));
saveTimes();
for (const name of COUNTS) console.log(`ℹ ${name} ${total[name]}`);
console.log(`ℹ duration_ms ${(performance.now() - start).toFixed(0)}`);
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(', ')}. The same order again: npm test -- --seed ${seed}`);
  process.exitCode = 1;
}

/** What needs PGlite shares one; what starts processes of its own mostly waits; a file that starts whole programs is alone. */
function batches(): Batch[] {
  if (positionals.length > 0) return [{ name: 'tests', files: globSync(positionals, { cwd: ROOT }) }];
  const modules = globSync(MODULES, { cwd: ROOT, exclude: ['src/launcher.test.ts'] }).toSorted();
  const text = new Map(modules.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
  const engines = modules.filter((file) => text.get(file)!.includes('onEveryEngine('));
  const processes = modules.filter((file) => !engines.includes(file) && text.get(file)!.includes("from 'node:child_process'"));
  const others = modules.filter((file) => !engines.includes(file) && !processes.includes(file));
  const parts = Math.min(8, Math.max(2, availableParallelism()));
  const whole = values.modules ? [] : globSync(WHOLE_PROGRAM, { cwd: ROOT }).filter((file) => !modules.includes(file));
  return [
    { name: 'modules, on every database', files: engines },
    { name: 'modules that start processes', files: processes },
    ...Array.from({ length: parts }, (_, part) => ({
      name: `modules, ${part + 1} of ${parts}`,
      files: others.filter((__, at) => at % parts === part),
    })),
    ...whole.map((file) => ({ name: file, files: [file] })),
  ];
}

async function work(): Promise<void> {
  for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
    const { ok, output, ms } = await run(batch);
    const counts = COUNTS.map((name) => Number(new RegExp(`^ℹ ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0));
    for (const [at, name] of COUNTS.entries()) total[name] += counts[at]!;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${batch.name}: ${counts[0]} tests (${(ms / 1000).toFixed(1)} s)`);
    if (ok) times[batch.name] = ms;
    else {
      failed.push(batch.name);
      if (total.fail === 0) total.fail = 1;
      const at = output.indexOf('✖ failing tests:');
      console.log(at < 0 ? output.slice(-20_000) : output.slice(at));
    }
  }
}

function run({ files }: Batch): Promise<{ ok: boolean; output: string; ms: number }> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...FLAGS, `--test-random-seed=${seed}`, ...files], {
      cwd: ROOT,
      env: { ...process.env, NODE_COMPILE_CACHE: CACHE },
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('close', (code, signal) => {
      if (signal) output += `\nended by ${signal}`;
      resolve({ ok: code === 0, output, ms: performance.now() - began });
    });
  });
}

/** How long each took the last time: the longest goes first. */
function knownTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

function saveTimes(): void {
  mkdirSync(dirname(TIMES), { recursive: true });
  writeFileSync(TIMES, JSON.stringify(times));
}
