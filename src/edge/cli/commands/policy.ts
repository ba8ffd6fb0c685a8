import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { listTokens } from '#owner/contract';
import { listGrants } from '#policy/contract';
import type { Cli } from '../context.ts';
import { table } from '../words.ts';

/** What there is to grant, and who has it. */
export function policyCommands(program: Command, cli: () => Cli): void {
  const group = program.command('policy').description('what may be done, and by whom; what was not granted is denied');
  group
    .command('list')
    .description('every capability there is, with what it opens')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listGrants, {});
      io.print(items, () =>
        table(
          ['GRANT', 'OPENS'],
          items.flatMap(({ grant, opens }) => opens.map((what, at) => [at === 0 ? grant : '', what])),
        ),
      );
    });

  group
    .command('explain <grant>')
    .description('what a capability opens, and who has it: memory:write, or an area: runs:*')
    .action(async (grant: string) => {
      const io = cli();
      const [client, { allows }] = await Promise.all([io.client(), import('#policy')]);
      const { items } = await client.call(listGrants, {});
      const asked = items.filter((it) => allows(new Set([grant]), it.grant));
      if (asked.length === 0)
        throw new AppError('not_found', 'policy.unknown_grant', `There is no capability "${grant}"; see "castellan policy list"`, {
          grant,
        });
      const { items: tokens } = await client.call(listTokens, {});
      const holders = tokens.filter((it) => !it.isExpired && asked.every((one) => allows(new Set(it.grants), one.grant)));
      const told = { grant, opens: asked, holders: ['owner', 'cli', ...holders.map(({ id }) => `token:${id}`)] };
      io.print(told, () =>
        [
          ...asked.flatMap((it) => [`${it.grant} opens:`, ...it.opens.map((what) => `  ${what}`)]),
          '',
          'Allowed to:',
          '  the owner, in the browser and on this command line',
          ...holders.map(({ name, grants }) => `  the token "${name}", by ${grants.join(' ')}`),
          'Denied to everybody else.',
        ].join('\n'),
      );
    });
}
