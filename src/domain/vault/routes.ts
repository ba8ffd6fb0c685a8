import { createHash } from 'node:crypto';
import { route, type Connection, type Route } from '#core/endpoint';
import { AppError } from '#core/errors';
import { secret } from '#core/secret';
import {
  completeConnection,
  describeSecret,
  listConnections,
  listSecrets,
  putConnection,
  putSecret,
  removeConnection,
  removeSecret,
  renewConnection,
  rotateMasterKey,
  rotateSecret,
  startConnection,
} from './contract.ts';
import type { NextKey } from './master-key.ts';
import type { Vault } from './vault.ts';

/** Where the browser comes back to. */
const CALLBACK = '/connections/callback';

/** `baseUrl` is where the owner's browser finds this agent. */
export function vaultRoutes(vault: Vault, baseUrl: () => string): readonly Route[] {
  const { connections } = vault;

  async function usesOf(name: string): Promise<string[]> {
    return (await vault.uses()).filter((use) => use.secret === name).map(({ where }) => where);
  }

  return [
    route(listSecrets, async () => {
      const uses = Map.groupBy(await vault.uses(), (use) => use.secret);
      const items = (await vault.list()).map((info) => ({ ...info, usedBy: (uses.get(info.name) ?? []).map(({ where }) => where) }));
      return { items, next: null };
    }),
    route(putSecret, ({ name, value, ...told }, { caller }) => vault.set(name, secret(value), caller.id, told)),
    route(describeSecret, ({ name, ...told }, { caller }) => vault.describe(name, caller.id, told)),
    route(rotateSecret, ({ name, value, graceSeconds }, { caller }) =>
      vault.rotate(name, secret(value), caller.id, { graceMs: graceSeconds * 1_000 }),
    ),
    route(removeSecret, async ({ name, force }, { caller }) => {
      const usedBy = force === 'true' ? [] : await usesOf(name);
      if (usedBy.length > 0)
        throw new AppError(
          'conflict',
          'vault.in_use',
          `The secret "${name}" is used by ${usedBy.join('; ')}: change that first, or remove it with --force`,
          {
            name,
            usedBy,
          },
        );
      await vault.remove(name, caller.id);
      return { ok: true as const };
    }),
    route(listConnections, async () => ({ items: [...(await connections.list())], next: null })),
    route(putConnection, ({ name, ...given }, { caller }) => connections.define(name, given, caller.id)),
    route(removeConnection, async ({ name }, { caller, signal }) => {
      return { ok: true as const, revoked: await connections.remove(name, caller.id, signal) };
    }),
    route(startConnection, ({ name, flow, origin }, { caller, signal, connection }) => {
      const redirectUri = `${ownOrigin(origin, baseUrl())}${CALLBACK}`;
      return connections.start(name, { flow, redirectUri, boundTo: sessionOf(connection) }, caller.id, signal);
    }),
    route(completeConnection, (answer, { caller, signal, connection }) =>
      connections.complete(answer, sessionOf(connection), caller.id, signal),
    ),
    route(renewConnection, ({ name }) => connections.renew(name)),
    route(rotateMasterKey, ({ to, key, old }, { caller }) => vault.changeMasterKey(nextKey(to, key), old, caller.id)),
  ];
}

function nextKey(kind: NextKey['kind'], text: string | undefined): NextKey {
  if (kind === 'file') return { kind };
  if (text === undefined) throw new AppError('invalid', 'input.invalid', `key: give the ${kind === 'given' ? 'new key' : 'passphrase'}`);
  return kind === 'given' ? { kind, key: secret(text) } : { kind, passphrase: secret(text) };
}

/** A grant belongs to the session that began it; the command line has none, and any session of the owner may end what it began. */
function sessionOf(connection: Connection | undefined): string {
  const token = connection?.sessionToken;
  return token === undefined ? '' : createHash('sha256').update(token).digest('hex');
}

/** The page that asks says where it is, by a name of this agent's: anywhere else a code would be carried to a stranger. */
function ownOrigin(asked: string | undefined, base: string): string {
  const own = new URL(base);
  const url = asked === undefined ? own : URL.parse(asked);
  const isOwn =
    url !== null &&
    (url.origin === own.origin ||
      (url.protocol === own.protocol && url.port === own.port && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)));
  if (!isOwn) throw new AppError('invalid', 'input.invalid', `origin: ${asked} is not this agent; open it at ${own.origin}`);
  return url.origin;
}
