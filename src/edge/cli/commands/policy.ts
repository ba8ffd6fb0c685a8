import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { listTokens } from '#owner/contract';
import {
  createPolicyGrant,
  explainPolicy,
  listGrants,
  listPolicyGrants,
  listStarterGrants,
  revokePolicyGrant,
  type Effect,
  type Grant,
} from '#policy/contract';
import { getWorkflow } from '#workflows/contract';
import type { Cli } from '../context.ts';
import { grantFrom, grantOptions, type GrantOptions } from '../grant-options.ts';
import { ago, table } from '../words.ts';

type Client = Awaited<ReturnType<Cli['client']>>;

/** What may be done, by whom, and why. */
export function policyCommands(program: Command, cli: () => Cli): void {
  const group = program.command('policy').description('what may be done, and by whom; what was not granted is denied');
  group
    .command('list')
    .description('grants in force, and what is granted from the start')
    .option('--all', 'those that ended too')
    .option('--principal <who>', 'of one principal: workflow:NAME, token:ID')
    .action(async ({ all, principal }: { all?: boolean; principal?: string }) => {
      const io = cli();
      const client = await io.client();
      const who = principal === undefined ? {} : { principal: await named(client, principal) };
      const { items } = await client.call(listPolicyGrants, { limit: 500, ...who, ...(all && { all: 'true' }) });
      const { items: starters } = await client.call(listStarterGrants, {});
      io.print({ items, starters }, () =>
        ['Your grants', rowsOf(items), '', 'From the start; every grant of yours is stronger', rowsOf(starters)].join('\n'),
      );
    });

  group
    .command('capabilities')
    .description('every capability of the API, with what it opens')
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
    .command('explain <principal-or-grant> [capability] [resource]')
    .description('what would be decided and why: workflow:NAME net:fetch example.com; or, of one grant of the API, who has it')
    .option('--chain <principals...>', 'who stands before it, outermost first')
    .option('--label <labels...>', 'labels of the text at hand: untrusted, private, secret')
    .option('--named', 'as if you had written the resource into the workflow')
    .action(async (first: string, capability: string | undefined, resource: string | undefined, options: ExplainOptions) => {
      const io = cli();
      const client = await io.client();
      if (capability === undefined) return explainGrant(io, client, first);
      const { chain = [], label = [], named: isNamed = false } = options;
      const told = await client.call(explainPolicy, {
        principal: await named(client, first),
        capability,
        ...(resource !== undefined && { resource }),
        chain: await Promise.all(chain.map((each) => named(client, each))),
        labels: label as never,
        named: isNamed,
      });
      io.print(told, () =>
        [
          `${told.effect.toUpperCase()}  ${capability} on ${told.resource}`,
          told.reason,
          ...(told.rule === null ? [] : [`Rule: ${told.rule}`]),
          '',
          told.matching.length === 0 ? 'No grant covers this.' : `What covers it, the closest first:\n${rowsOf(told.matching)}`,
        ].join('\n'),
      );
    });

  for (const effect of ['allow', 'deny', 'ask'] as const)
    grantOptions(group.command(`${effect} <principal> <capability> [resource]`).description(SAYS[effect]), effect).action(
      async (principal: string, capability: string, resource: string | undefined, options: GrantOptions) => {
        const io = cli();
        const client = await io.client();
        const who = await named(client, principal);
        const made = await client.call(createPolicyGrant, grantFrom(effect, { principal: who, capability, resource }, options));
        io.print(
          made,
          () =>
            `${effect}: ${made.principal} ${made.capability} on ${made.resource}. Take it back with: castellan policy revoke ${made.id}`,
        );
      },
    );

  group
    .command('revoke <id>')
    .description('takes a grant out of force')
    .action(async (id: string) => {
      const io = cli();
      const gone = await (await io.client()).call(revokePolicyGrant, { id });
      io.print(gone, () => `Revoked: ${gone.effect} ${gone.principal} ${gone.capability} on ${gone.resource}.`);
    });
}

const SAYS: Readonly<Record<Effect, string>> = {
  allow: 'grants it from now on: workflow:NAME channel:send home:42',
  deny: 'refuses it from now on, whatever is granted elsewhere',
  ask: 'has it asked each time',
};

interface ExplainOptions {
  readonly chain?: string[];
  readonly label?: string[];
  readonly named?: boolean;
}

/** `workflow:NAME` is what people know; grants hold for the id. */
async function named(client: Client, principal: string): Promise<string> {
  const [, name] = /^workflow:([^*]+)$/.exec(principal) ?? [];
  return name === undefined ? principal : `workflow:${(await client.call(getWorkflow, { id: name })).id}`;
}

function rowsOf(grants: readonly Grant[]): string {
  return table(
    ['', 'WHO', 'WHAT', 'ON', 'WHEN', 'MADE', 'ID'],
    grants.map((it) => [
      it.revokedAt !== null ? `(${it.effect})` : it.effect,
      it.principal,
      it.capability,
      it.resource,
      whenOf(it),
      it.origin === 'starter' ? 'with the program' : `${ago(it.createdAt, Date.now())} by ${it.madeBy}`,
      it.origin === 'starter' ? '' : it.id,
    ]),
  );
}

function whenOf({ conditions, expiresAt, once, revokedAt, usedAt }: Grant): string {
  const { hours, rate, maxDepth, budgetUsd, labels, node, named: isNamed } = conditions;
  return [
    revokedAt !== null && 'revoked',
    once && (usedAt === null ? 'once' : 'used'),
    isNamed && 'named in the workflow',
    hours && `${hours.from}-${hours.to} ${hours.timeZone}`,
    rate && `${rate.times} in ${rate.perMs / 1_000} s`,
    maxDepth !== undefined && `depth ${maxDepth}`,
    budgetUsd !== undefined && `under $${budgetUsd}`,
    labels && `takes ${labels.join(', ') || 'no labels'}`,
    node && `on ${node}`,
    expiresAt !== null && `until ${expiresAt}`,
  ]
    .filter((each) => typeof each === 'string')
    .join('; ');
}

async function explainGrant(io: Cli, client: Client, grant: string): Promise<void> {
  const { allows } = await import('#policy');
  const { items } = await client.call(listGrants, {});
  const asked = items.filter((it) => allows(new Set([grant]), it.grant));
  if (asked.length === 0)
    throw new AppError('not_found', 'policy.unknown_grant', `There is no capability "${grant}"; see "castellan policy capabilities"`, {
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
}
