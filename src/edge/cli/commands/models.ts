import { Argument, Option, type Command } from 'commander';
import { BudgetScope, getUsage, listBudgets, listProviders, setBudget, testProvider, UsageGroup } from '#llm/contract';
import { AppError } from '#core/errors';
import type { Cli } from '../context.ts';
import { money, table } from '../words.ts';

/** Models and budgets. */
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
}
