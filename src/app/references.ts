import type { Channels } from '#channels';
import type { Llm } from '#llm';
import type { Settings } from '#settings';
import type { Vault } from '#vault';
import type { SecretUse } from '#vault/contract';
import type { Workflows } from '#workflows';

const REFERENCE = /@secret:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)/g;
const PAGE = 200;

/** Where secrets are referred to: settings, providers, channels, steps of workflows. */
export async function secretUses(from: {
  readonly settings: Pick<Settings, 'list'>;
  readonly llm: Pick<Llm, 'list'>;
  readonly channels: Pick<Channels, 'directory'>;
  readonly workflows: Pick<Workflows, 'list' | 'get'>;
  readonly connections: Pick<Vault['connections'], 'list'>;
}): Promise<SecretUse[]> {
  const uses: SecretUse[] = [];
  const look = (value: unknown, where: string): void => {
    for (const name of new Set(Array.from(JSON.stringify(value).matchAll(REFERENCE), ([, found]) => found!)))
      uses.push({ secret: name, where });
  };
  for (const { key, value } of from.settings.list()) look(value, `setting ${key}`);
  for (const provider of await from.llm.list()) look(provider, `provider ${provider.name}`);
  for (const channel of await from.channels.directory.list()) look(channel, `channel ${channel.name}`);
  for (const connection of await from.connections.list()) look(connection.client, `connection ${connection.name}`);
  for (let cursor: string | undefined; ;) {
    const page = await from.workflows.list({ limit: PAGE, cursor });
    for (const { id, name } of page.items) {
      const { steps, resources } = (await from.workflows.get(id)).definition;
      look([steps, resources], `workflow ${name}`);
    }
    if (page.next === null) return uses;
    cursor = page.next;
  }
}
