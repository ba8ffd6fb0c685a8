import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { Json } from '#core/json';
import {
  cancelRun,
  explainRun,
  getRun,
  isOver,
  listRuns,
  pauseRun,
  resumeRun,
  retryRun,
  RunStatus,
  type RunDetail,
  type RunSummary,
} from '#runs/contract';
import { startRun } from '#workflows/contract';
import { jsonOf, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { patiently } from '../patience.ts';
import { ago, money, plain, show, table } from '../words.ts';

/** Starting work, following it, and asking why. */
export function runCommands(program: Command, cli: () => Cli): void {
  program
    .command('run <workflow>')
    .description('start a workflow, by name or id')
    .option('--input <json>', 'its input: JSON, @FILE, or - for standard input')
    .option('--wait', 'show progress and print the result')
    .option('--dry-run', 'perform no effect; show what would be done')
    .action(async (workflow: string, options: { input?: string; wait?: boolean; dryRun?: boolean }) => {
      const io = cli();
      const input = await readInput(options.input, io);
      const client = await io.client();
      const run = await client.call(
        startRun,
        { id: workflow, dryRun: options.dryRun ?? false, ...(input !== undefined && { input }) },
        { idempotencyKey: randomUUID() },
      );
      if (!options.wait) return io.print(run, () => `Started run ${run.id}. Follow it with: castellan runs ${run.id}`);
      const ended = await follow(run.id, io);
      io.print(ended, () => resultWords(ended));
      if (ended.status === 'failed' || ended.status === 'cancelled') process.exitCode = 1;
    });

  program
    .command('runs [id]')
    .description('list runs, or show one with its steps, cost and effects')
    .option('--workflow <name>', 'only of this workflow')
    .addOption(new Option('--status <status>', 'only with this status').choices(RunStatus.options))
    .option('--limit <n>', 'how many', whole(1, 500), 20)
    .action(async (id: string | undefined, options: { workflow?: string; status?: RunStatus; limit: number }) => {
      const io = cli();
      const client = await io.client();
      if (id) {
        const run = await client.call(getRun, { id });
        return io.print(run, () => runWords(run));
      }
      const { items } = await client.call(listRuns, options);
      io.print(items, () => listWords(items));
    });

  for (const [name, endpoint, past] of [
    ['cancel', cancelRun, 'Cancelled'],
    ['pause', pauseRun, 'Pausing'],
    ['resume', resumeRun, 'Resumed'],
  ] as const) {
    program
      .command(`${name} <run>`)
      .description(endpoint.summary.toLowerCase().replace(/\.$/, ''))
      .action(async (id: string) => {
        const io = cli();
        const run = await (await io.client()).call(endpoint, { id });
        io.print(run, () => `${past} ${run.title} (${run.id}).`);
      });
  }

  program
    .command('retry <run>')
    .description('run a failed run again from the step that failed, or from another')
    .option('--from <step>', 'the step to begin at')
    .action(async (id: string, { from }: { from?: string }) => {
      const io = cli();
      const run = await (await io.client()).call(retryRun, { id, ...(from && { from }) });
      io.print(run, () => `Trying ${run.title} again (${run.id}).`);
    });

  program
    .command('explain <id>')
    .description('why a run, message, occurrence or decision did, or did not, do something')
    .action(async (id: string) => {
      const io = cli();
      const told = await (await io.client()).call(explainRun, { id });
      io.print(told, () => [told.title, ...told.lines.map(({ at, text }) => `  ${at ?? ' '.repeat(24)}  ${plain(text)}`)].join('\n'));
    });
}

async function readInput(option: string | undefined, io: Cli): Promise<Json | undefined> {
  if (option === undefined) return undefined;
  const text = option === '-' || option.startsWith('@') ? await readText(option === '-' ? '-' : option.slice(1), io) : option;
  return jsonOf(text, '--input');
}

/** Reports each step as it changes, until the run is over or paused. An agent that restarts meanwhile is waited for: the run goes on where it was. */
async function follow(id: string, io: Cli): Promise<RunDetail> {
  const told = new Map<string, string>();
  for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const run = await patiently(io, (client) => client.call(getRun, { id }));
    for (const step of run.steps) {
      const now = `${step.status}${step.attempt > 1 ? ` (try ${step.attempt})` : ''}`;
      if (told.get(step.path) === now) continue;
      told.set(step.path, now);
      io.say(`  ${step.name}: ${now}${step.outcome ? ` → ${step.outcome}` : ''}`);
      pauseMs = 50;
    }
    if (isOver(run.status) || run.status === 'paused') return run;
    if (run.status === 'waiting' && run.wakeAt === null && told.get('') !== 'waiting') {
      told.set('', 'waiting');
      io.say('  The run waits for you: see "castellan approvals list".');
    }
    await sleep(pauseMs);
  }
}

function resultWords(run: RunDetail): string {
  if (run.status === 'succeeded') return show(textOf(run.output));
  return `${run.title} ${run.status}: ${run.error?.message ?? ''}\nSee why: castellan explain ${run.id}`;
}

function textOf(output: Json | null): unknown {
  return output !== null && typeof output === 'object' && !Array.isArray(output) && typeof (output as { text?: unknown }).text === 'string'
    ? (output as { text: string }).text
    : output;
}

function listWords(runs: readonly RunSummary[]): string {
  const now = Date.now();
  return table(
    ['RUN', 'STATUS', 'WHAT', 'OUTCOME', 'COST', 'WHEN'],
    runs.map((run) => [run.id, run.status, run.title, run.outcome ?? run.error?.code, money(run.costUsd), ago(run.createdAt, now)]),
  );
}

function runWords(run: RunDetail): string {
  const head = [
    `${run.title}: ${run.status}${run.outcome ? ` (${run.outcome})` : ''}`,
    `run ${run.id}, started ${run.createdAt} by ${run.trigger.kind}${run.dryRun ? ', dry run' : ''}, cost ${money(run.costUsd)}`,
  ];
  if (run.error) head.push(`error ${run.error.code}: ${plain(run.error.message)}`);
  const steps = table(
    ['STEP', 'STATUS', 'OUTCOME', 'TRIES', 'COST', 'HAS READ'],
    run.steps.map((step) => [step.path, step.status, step.outcome, step.attempt, money(step.costUsd), hasRead(step)]),
  );
  const effects =
    run.effects.length === 0
      ? []
      : [
          '',
          table(
            ['EFFECT', 'STATUS', 'TO', 'KEY'],
            run.effects.map((effect) => [effect.kind, effect.status, effect.target, effect.key]),
          ),
        ];
  return [...head, '', steps, ...effects].join('\n');
}

/** Labels of a step, and where it read by itself. */
function hasRead({ labels, taken }: RunDetail['steps'][number]): string {
  const foreign = labels.filter((label) => label !== 'owner');
  const [first, ...more] = [...new Set(taken.map(({ from }) => from))];
  return [foreign.join(' '), first && `from ${first}${more.length > 0 ? ` and ${more.length} more` : ''}`].filter(Boolean).join(' ');
}
