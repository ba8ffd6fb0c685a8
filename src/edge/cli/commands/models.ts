import { Argument, Option, type Command } from 'commander';
import { BudgetScope, getUsage, listBudgets, listProviders, setBudget, testProvider, UsageGroup } from '#llm/contract';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import { getSkill, listSkills, runSkill } from '#skills/contract';
import { jsonOf } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { money, show, table } from '../words.ts';

/** Models, budgets and skills. */
export function modelCommands(program: Command, cli: () => Cli): void {
  const llm = program.command('llm').description('providers, usage and live tests');
  llm
    .command('list')
    .description('providers in the order they are tried')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listProviders, {});
      io.print(items, () =>
        table(
          ['NAME', 'KIND', 'MODEL', 'TIERS', 'STATE', 'CALLS TODAY'],
          items.map((it) => [
            it.name,
            it.kind,
            it.model,
            it.tiers.join(' '),
            it.enabled ? it.health.state : 'off',
            `${it.callsToday}${it.dailyCallLimit === null ? '' : ` of ${it.dailyCallLimit}`}`,
          ]),
        ),
      );
    });
  llm
    .command('test <provider>')
    .description('ask it for one word and measure the time')
    .action(async (name: string) => {
      const io = cli();
      const client = await io.client();
      const { items } = await client.call(listProviders, {});
      const provider = items.find((it) => it.name.toLowerCase() === name.toLowerCase() || it.id === name);
      if (!provider)
        throw new AppError(
          'not_found',
          'llm.provider_not_found',
          `No provider is called "${name}"; there are ${items.map((it) => it.name).join(', ')}`,
          { name },
        );
      const result = await client.call(testProvider, { id: provider.id });
      io.print(result, () =>
        result.error
          ? `${provider.name} did not answer: ${result.error.message}`
          : `${provider.name} answered in ${result.latencyMs} ms for ${money(result.costUsd)}.`,
      );
      if (result.error) process.exitCode = 1;
    });
  llm
    .command('usage')
    .description('calls, tokens and cost')
    .addOption(new Option('--by <group>', 'one line for each').choices(UsageGroup.options).default('provider'))
    .option('--from <day>')
    .option('--to <day>')
    .action(async (options: { by: UsageGroup; from?: string; to?: string }) => {
      const io = cli();
      const usage = await (await io.client()).call(getUsage, options);
      const row = (it: (typeof usage.items)[number]): (string | number)[] => [
        it.key,
        it.calls,
        it.failedCalls,
        it.inputTokens,
        it.outputTokens,
        money(it.costUsd),
      ];
      io.print(usage, () =>
        table(
          [options.by.toUpperCase(), 'CALLS', 'FAILED', 'TOKENS IN', 'TOKENS OUT', 'COST'],
          [...usage.items.map(row), row({ ...usage.total, key: 'all' })],
        ),
      );
    });

  const budget = program.command('budget').description('what may be spent');
  budget
    .command('show')
    .description('limits, with what is spent and held')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listBudgets, {});
      io.print(items, () =>
        table(
          ['SCOPE', 'OF', 'LIMIT', 'SPENT', 'HELD'],
          items.map((it) => [
            it.scope,
            it.key,
            it.limitUsd === null ? 'none' : money(it.limitUsd + it.extraUsd),
            money(it.spentUsd),
            money(it.heldUsd),
          ]),
        ),
      );
    });
  budget
    .command('set')
    .addArgument(new Argument('<scope>', 'whose limit').choices(BudgetScope.options))
    .argument('<usd>', 'an amount, or "none"')
    .description('set a limit in USD; "none" lifts it')
    .option('--of <id>', 'a run or workflow')
    .action(async (scope: BudgetScope, usd: string, { of: key = '' }: { of?: string }) => {
      const io = cli();
      const limitUsd = usd === 'none' ? null : Number(usd);
      if (limitUsd !== null && !(limitUsd >= 0 && usd.trim() !== ''))
        throw new AppError('invalid', 'cli.bad_number', `"${usd}" is not an amount in USD; give a number or "none"`, { usd });
      const it = await (await io.client()).call(setBudget, { scope, key, limitUsd });
      io.print(it, () => `${it.scope}: ${it.limitUsd === null ? 'no limit' : money(it.limitUsd)}`);
    });

  const skills = program.command('skills').description('what workflows can do');
  skills
    .command('list')
    .description('the catalogue')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listSkills, {});
      io.print(items, () =>
        table(
          ['NAME', 'KIND', 'STATE', 'WHAT'],
          items.map((it) => [it.name, it.kind, it.breaker.state === 'closed' ? 'ok' : `resting until ${it.breaker.until}`, it.title]),
        ),
      );
    });
  skills
    .command('show <name>')
    .description('schemas, outcomes, grants')
    .action(async (name: string) => {
      const io = cli();
      const it = await (await io.client()).call(getSkill, { name });
      io.print(it, () => show(it));
    });
  skills
    .command('run <name>')
    .description('try a skill once')
    .option('--input <json>', 'its input: JSON, @FILE, or - for standard input', 'null')
    .option('--config <json>', 'its configuration: JSON, @FILE, or -', '{}')
    .option('--prompt <text>', 'its prompt template')
    .option('--dry-run', 'perform no effect')
    .action(async (name: string, options: { input: string; config: string; prompt?: string; dryRun?: boolean }) => {
      const io = cli();
      const result = await (
        await io.client()
      ).call(runSkill, {
        name,
        input: await readJson(options.input, '--input', io),
        config: await readJson(options.config, '--config', io),
        dryRun: options.dryRun ?? false,
        ...(options.prompt !== undefined && { prompt: options.prompt }),
      });
      io.print(result, () => `${result.outcome}\n${show(result.output)}`);
    });
}

async function readJson(given: string, name: string, io: Cli): Promise<Json> {
  return jsonOf(given === '-' || given.startsWith('@') ? await readText(given.replace(/^@/, ''), io) : given, name);
}
