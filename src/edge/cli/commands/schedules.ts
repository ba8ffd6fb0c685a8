import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { listOccurrences, listSchedules } from '#schedules/contract';
import { listWorkflows } from '#workflows/contract';
import { instant, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { ago, table } from '../words.ts';

interface NextOptions {
  readonly tz: string;
  readonly from?: string;
  readonly count: number;
  readonly lines?: boolean;
}

/** What starts by itself; `schedules next` needs no agent. */
export function scheduleCommands(program: Command, cli: () => Cli): void {
  const group = program.command('schedules').description('what starts by itself, and when');
  group
    .command('list')
    .description('every schedule with its next occurrence')
    .option('--workflow <name>', 'only of this workflow')
    .action(async ({ workflow }: { workflow?: string }) => {
      const io = cli();
      const client = await io.client();
      const { items: workflows } = await client.call(listWorkflows, { limit: 500 });
      const { items } = await client.call(listSchedules, workflow === undefined ? {} : { workflow });
      const nameOf = (id: string): string => workflows.find((it) => it.id === id)?.name ?? id;
      io.print(items, () =>
        table(
          ['ID', 'WORKFLOW', 'WHEN', 'STATE', 'LAST', 'NEXT'],
          items.map((it) => [
            it.id,
            nameOf(it.workflowId),
            it.description,
            it.enabled ? 'on' : 'off',
            ago(it.lastAt, Date.now()),
            it.nextAt,
          ]),
        ),
      );
    });

  group
    .command('history <schedule>')
    .description('what became of its past occurrences, newest first')
    .option('--limit <n>', 'how many', whole(1, 500), 20)
    .action(async (id: string, { limit }: { limit: number }) => {
      const io = cli();
      const { items } = await (await io.client()).call(listOccurrences, { id, limit });
      io.print(items, () =>
        table(
          ['DUE', 'STATUS', 'RUN', 'WHY'],
          items.map((it) => [it.dueAt, it.status, it.runId, it.reason]),
        ),
      );
    });

  group
    .command('next [expression...]')
    .description('the next occurrences of a cron expression, in UTC')
    .option('--tz <zone>', 'the time zone it is meant in', 'UTC')
    .option('--from <time>', 'after this instant; now when left out', instant)
    .option('--count <n>', 'how many', whole(1, 1_000), 3)
    .option('--lines', 'read JSON lines { "expression", "tz", "from" } and answer each with { "expected" } or { "error" }')
    .action(async (words: string[], { tz, from, count, lines }: NextOptions) => {
      const io = cli();
      if (lines) return answerLines(count);
      const { nextOccurrences, parseCron, toIso } = await import('#schedules');
      const expression = words.join(' ');
      if (expression === '') throw new AppError('invalid', 'cli.no_value', 'Give a cron expression, such as "0 7 * * *"');
      const after = from === undefined ? Date.now() : Date.parse(from);
      const expected = nextOccurrences(parseCron(expression, tz), after, count).map(toIso);
      io.print({ expression, tz, from: toIso(after), expected }, () => expected.join('\n') || 'Never again.');
    });
}

/** One line out for one line in, as they come. */
async function answerLines(count: number): Promise<void> {
  const { answerLine } = await import('#schedules');
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const isTaken = process.stdout.write(`${JSON.stringify(answerLine(line, count))}\n`);
    if (!isTaken) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}
