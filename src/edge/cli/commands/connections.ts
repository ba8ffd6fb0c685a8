import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { Client } from '#core/client';
import { AppError } from '#core/errors';
import { listConnections, putConnection, removeConnection, renewConnection, startConnection, type ConnectionInfo } from '#vault/contract';
import type { Cli } from '../context.ts';
import { ago, table } from '../words.ts';

interface SetOptions {
  readonly authorizeUrl?: string;
  readonly tokenUrl: string;
  readonly deviceUrl?: string;
  readonly revokeUrl?: string;
  readonly issuer?: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly basic?: boolean;
  readonly scopes?: readonly string[];
  readonly param?: readonly string[];
  readonly redirectUri?: string;
  readonly for?: string;
  readonly hosts?: string;
  readonly description?: string;
}

const LOOK_EVERY_MS = 1_000;

/** `connections`: access to outside services by OAuth, held by the vault. */
export function connectionCommands(program: Command, cli: () => Cli): void {
  const group = program.command('connections').description('access to outside services by OAuth; the vault holds it and keeps it fresh');
  group
    .command('list')
    .description('how they are, and until when')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listConnections, {});
      const now = Date.now();
      io.print(items, () =>
        items.length === 0
          ? 'There is none yet: "castellan connections set" describes a service.'
          : table(
              ['NAME', 'STATE', 'ENDS', 'RENEWED', 'SCOPES', 'PROBLEM'],
              items.map((it) => [
                it.name,
                it.state,
                it.breaksAt?.slice(0, 10) ?? (it.renews ? 'renews itself' : ''),
                ago(it.renewedAt ?? it.connectedAt, now),
                it.granted.join(' '),
                it.problem ?? '',
              ]),
            ),
      );
    });
  group
    .command('set <name>')
    .description('describe a service; then connect with "connections login"')
    .requiredOption('--token-url <url>')
    .requiredOption('--client-id <id>', 'as the service registered this agent')
    .option('--authorize-url <url>', 'where you say yes in the browser')
    .option('--device-url <url>', 'where a code for another device comes from')
    .option('--revoke-url <url>', 'where access is given back')
    .option('--issuer <issuer>', 'its name of itself')
    .option('--client-secret <reference>', 'such as @secret:google-client')
    .option('--basic', 'show the secret as HTTP Basic, not in the form')
    .option('--scopes <scopes...>', 'what you ask for')
    .option('--param <name=value...>', 'added where you say yes: access_type=offline')
    .option('--redirect-uri <url>', 'where the browser comes back to, behind a proxy')
    .option('--for <who>', 'who may use it, as with "secret set --scope"')
    .option('--hosts <hosts>', 'where it may be sent: www.googleapis.com')
    .option('--description <text>')
    .action(async (name: string, { for: scope, hosts, description, ...options }: SetOptions) => {
      const io = cli();
      const said = {
        ...(scope !== undefined && { scope }),
        ...(hosts !== undefined && { hosts }),
        ...(description !== undefined && { description }),
      };
      const it = await (await io.client()).call(putConnection, { name, client: clientOf(options), ...said });
      io.print(it, () =>
        it.state === 'ok' ? `${name} is described anew.` : `${name} is described. Connect it: castellan connections login ${name}`,
      );
    });
  group
    .command('login <name>')
    .description('grant access: in the browser, or with a code on any device')
    .addOption(new Option('--flow <flow>', 'which way').choices(['browser', 'device']).default('browser'))
    .action(async (name: string, { flow }: { flow: 'browser' | 'device' }) => {
      const io = cli();
      const client = await io.client();
      const before = await find(client, name);
      const { url, userCode, expiresAt } = await client.call(startConnection, { name, flow });
      io.say(
        userCode === null
          ? `Open this where you are logged in to Castellan, until ${expiresAt}:\n  ${url}`
          : `Open ${url}\nand type in ${userCode}, until ${expiresAt}.`,
      );
      const it = await waitFor(client, before, Date.parse(expiresAt));
      io.print(it, () => `${name} is connected: ${it.granted.join(' ')}`);
    });
  group
    .command('renew <name>')
    .description('renew the access now, which proves that it works')
    .action(async (name: string) => {
      const io = cli();
      const it = await (await io.client()).call(renewConnection, { name });
      io.print(it, () => `${name} works${it.accessExpiresAt ? ` until ${it.accessExpiresAt}, and is renewed before` : ''}.`);
    });
  group
    .command('remove <name>')
    .description('give the access back, and forget it')
    .action(async (name: string) => {
      const io = cli();
      const { revoked } = await (await io.client()).call(removeConnection, { name });
      io.print(
        { removed: name, revoked },
        () => `Removed ${name}${revoked ? '; the service took it back.' : '; the service was not told, so take it back there too.'}`,
      );
    });
}

function clientOf({ param = [], basic = false, scopes = [], ...rest }: Omit<SetOptions, 'for' | 'hosts' | 'description'>) {
  const authorizeParams = Object.fromEntries(
    param.map((each) => {
      const at = each.indexOf('=');
      if (at < 1) throw new AppError('invalid', 'cli.bad_option', `--param ${each}: write name=value`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
  return { ...rest, scopes: [...scopes], clientAuth: basic ? ('basic' as const) : ('post' as const), authorizeParams };
}

async function find(client: Client, name: string): Promise<ConnectionInfo> {
  const { items } = await client.call(listConnections, {});
  const found = items.find((it) => it.name === name);
  if (!found)
    throw new AppError('not_found', 'vault.no_connection', `No connection "${name}": describe it with "castellan connections set"`, {
      name,
    });
  return found;
}

async function waitFor(client: Client, before: ConnectionInfo, until: number): Promise<ConnectionInfo> {
  while (Date.now() < until) {
    await sleep(LOOK_EVERY_MS);
    const now = await find(client, before.name);
    if (now.state === 'ok' && now.connectedAt !== before.connectedAt) return now;
    if (now.problem !== null && now.problem !== before.problem)
      throw new AppError('forbidden', 'vault.connection_refused', `${before.name} was not connected: ${now.problem}`, {
        name: before.name,
      });
  }
  throw new AppError('unavailable', 'cli.timeout', `${before.name} was not connected in time: begin again`, { name: before.name });
}
