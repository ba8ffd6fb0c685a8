// `npm run check [-- --no-tests]`: everything that must hold before a commit. One line each, and the output of what failed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The check holds only where this is. */
  readonly where?: string;
}

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
  readonly seconds: number;
}

const ROOT = join(import.meta.dirname, '..');
/** As many as the smallest machine has cores. */
const AT_ONCE = 2;
/** What was read the last time, so that only what changed since is read again. */
const CACHE = 'node_modules/.cache/castellan';
const LONGEST_MS = 10 * 60_000;

/** The longest first, so that the short ones run beside it. */
const CHECKS: readonly Check[] = [
  { name: 'tests', command: ['node', '--disable-warning=ExperimentalWarning', 'tools/test.ts', '--modules'] },
  { name: 'types', command: ['tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', `${CACHE}/types.json`] },
  {
    name: 'types of the web interface',
    command: ['tsc', '-p', 'src/edge/web', '--incremental', '--tsBuildInfoFile', `${CACHE}/types-web.json`],
    where: 'src/edge/web/tsconfig.json',
  },
  { name: 'lint', command: ['oxlint', '--type-aware', '--format=unix'] },
  { name: 'format', command: ['oxfmt', '--list-different', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'reference', command: ['node', 'tools/docs.ts', '--check'] },
];

const { values } = parseArgs({ options: { 'no-tests': { type: 'boolean', default: false } } });
const waiting = CHECKS.filter(({ name, where }) => !(values['no-tests'] && name === 'tests') && (!where || existsSync(join(ROOT, where))));
const failed: string[] = [];

async function work(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const { ok, output, seconds } = await run(check.command);
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${check.name} (${seconds.toFixed(1)} s)`);
    if (ok) continue;
    failed.push(check.name);
    console.log(output.trim().replaceAll(/^/gm, '     '));
  }
}

/** Runs one command with this Node first on the path. */
function run([file, ...args]: Check['command']): Promise<Outcome> {
  const start = performance.now();
  const path = [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, PATH: path },
      timeout: LONGEST_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const end = (ok: boolean, more = ''): void => resolve({ ok, output: output + more, seconds: (performance.now() - start) / 1000 });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => end(false, error.message));
    child.once('close', (code, signal) => end(code === 0, signal ? `ended by ${signal}` : ''));
  });
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
if (failed.length > 0) console.log(`\n${failed.length} of the checks failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
