import { z } from 'zod';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { check, parseJson, type Json } from '#core/json';
import type { Secret } from '#core/secret';
import type { Borrower } from '#vault';
import { NewProvider, Price, ProviderFields, type ProviderPatch } from './api.ts';
import type { ProviderClient, ProviderKind } from './contract.ts';
import { allProviders, deleteProvider, insertProvider, updateProvider } from './queries.ts';
import type { ProviderRow } from './tables.ts';
import { Tier } from './tier.ts';

/** A provider read from its row. */
export interface Provider extends z.output<typeof ProviderFields> {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Providers {
  /** Reads the rows; a row that cannot be read is left out and told of. */
  load(): Promise<void>;
  /** In the order they are tried. */
  all(): readonly Provider[];
  byName(name: string): Provider | undefined;
  /** Throws `llm.provider_not_found`. */
  get(id: string): Provider;
  add(input: unknown): Promise<Provider>;
  change(id: string, patch: unknown): Promise<Provider>;
  remove(id: string): Promise<void>;
  kindOf(provider: Pick<Provider, 'kind'>): ProviderKind | undefined;
  addressOf(provider: Provider): string | null;
  /** Its client, opened on first use; throws what the vault throws when the key cannot be had. */
  client(provider: Provider): Promise<ProviderClient>;
  /** The next call opens it anew: its key may have been changed in the vault. */
  close(id: string): void;
  /** Those whose key or headers use a secret. */
  using(secretName: string): readonly Provider[];
}

/** What the vault lends. */
export interface Secrets {
  /** The value of a `@secret:` reference. */
  resolve(reference: string, by: Borrower): Promise<Secret>;
  /** A text with every reference in it filled in. */
  fill(text: string, by: Borrower): Promise<Secret>;
}

export interface ProvidersDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly kinds: readonly ProviderKind[];
  readonly secrets: Secrets;
  readonly onBadRow: (name: string, error: unknown) => void;
  /** Refuses what may not be kept in plain text. */
  readonly refuse?: ((value: Json, what: string) => void) | undefined;
}

export function createProviders({ store, clock, newId, kinds, secrets, onBadRow, refuse = () => {} }: ProvidersDeps): Providers {
  let providers: readonly Provider[] = [];
  const clients = new Map<string, Promise<ProviderClient>>();

  const kindOf: Providers['kindOf'] = ({ kind }) => kinds.find((it) => it.id === kind);

  function addressOf(provider: Provider): string | null {
    return provider.baseUrl ?? kindOf(provider)?.defaultBaseUrl ?? null;
  }

  function get(id: string): Provider {
    const found = providers.find((it) => it.id === id);
    if (!found) throw new AppError('not_found', 'llm.provider_not_found', `No provider has the id ${id}`, { id });
    return found;
  }

  function keep(list: readonly Provider[]): void {
    providers = list.toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
  }

  function assertUsable(provider: Provider): void {
    const { name, baseUrl, headers, options } = provider;
    refuse({ name, baseUrl, headers, options }, 'provider');
    if (providers.some((it) => it.name === provider.name && it.id !== provider.id))
      throw new AppError('conflict', 'llm.provider_exists', `name: another provider is called ${provider.name}`, { name: provider.name });
    if (!kindOf(provider))
      throw new AppError('invalid', 'llm.unknown_kind', `kind: ${provider.kind} is none of ${kinds.map((it) => it.id).join(', ')}`, {
        kind: provider.kind,
      });
    if (!provider.enabled) return;
    if (!provider.model && !provider.embeddingModel)
      throw new AppError('invalid', 'llm.provider_incomplete', 'model: an enabled provider needs a model, or an embeddingModel', {
        field: 'model',
      });
    if (addressOf(provider) === null)
      throw new AppError(
        'invalid',
        'llm.provider_incomplete',
        'baseUrl: this kind has no address of its own; give one, e.g. http://127.0.0.1:11434',
        { field: 'baseUrl' },
      );
  }

  async function connect(provider: Provider): Promise<ProviderClient> {
    const kind = kindOf(provider)!;
    const baseUrl = addressOf(provider) ?? '';
    const by: Borrower = {
      as: [`provider:${provider.name}`, `provider:${provider.kind}`],
      purpose: 'call',
      ...(baseUrl && { to: baseUrl }),
    };
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(provider.headers)) headers[name] = (await secrets.fill(value, by)).use((text) => text);
    const apiKey = provider.secret === null ? null : await secrets.resolve(provider.secret, by);
    return kind.open({ baseUrl, apiKey, headers, timeoutMs: provider.timeoutMs });
  }

  return {
    kindOf,
    addressOf,
    get,
    all: () => providers,
    byName: (name) => providers.find((it) => it.name === name),

    async load() {
      const read: Provider[] = [];
      for (const row of await allProviders(store.db)) {
        try {
          read.push(fromRow(row));
        } catch (error) {
          onBadRow(row.name, error);
        }
      }
      keep(read);
      clients.clear();
    },

    async add(input) {
      const now = clock.now();
      const provider: Provider = { ...check(input, NewProvider, 'provider'), id: newId(), createdAt: now, updatedAt: now };
      assertUsable(provider);
      await store.write((tx) => insertProvider(tx, toRow(provider)));
      keep([...providers, provider]);
      return provider;
    },

    async change(id, patch) {
      const given: ProviderPatch = check(patch, ProviderFields.partial(), 'provider');
      const before = get(id);
      const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const provider: Provider = { ...before, ...fields, updatedAt: Math.max(clock.now(), before.createdAt + 1) };
      assertUsable(provider);
      await store.write((tx) => updateProvider(tx, toRow(provider)));
      keep(providers.map((it) => (it.id === id ? provider : it)));
      clients.delete(id);
      return provider;
    },

    async remove(id) {
      get(id);
      await store.write((tx) => deleteProvider(tx, id));
      keep(providers.filter((it) => it.id !== id));
      clients.delete(id);
    },

    client(provider) {
      let opened = clients.get(provider.id);
      if (!opened) {
        opened = connect(provider);
        clients.set(provider.id, opened);
        opened.catch(() => clients.get(provider.id) === opened && clients.delete(provider.id));
      }
      return opened;
    },

    close: (id) => void clients.delete(id),
    using: (secretName) =>
      providers.filter((it) => [it.secret ?? '', ...Object.values(it.headers)].some((text) => text.includes(`@secret:${secretName}`))),
  };
}

function toRow(it: Provider): ProviderRow {
  return {
    id: it.id,
    name: it.name,
    kind: it.kind,
    base_url: it.baseUrl,
    model: it.model,
    embedding_model: it.embeddingModel,
    tiers: JSON.stringify(it.tiers),
    priority: it.priority,
    daily_call_limit: it.dailyCallLimit,
    price: it.price && JSON.stringify(it.price),
    secret: it.secret,
    headers: JSON.stringify(it.headers),
    options: JSON.stringify(it.options),
    enabled: it.enabled ? 1 : 0,
    timeout_ms: it.timeoutMs,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
  };
}

function fromRow(row: ProviderRow): Provider {
  const fields = {
    name: row.name,
    kind: row.kind,
    baseUrl: row.base_url,
    model: row.model,
    embeddingModel: row.embedding_model,
    tiers: parseJson(row.tiers, z.array(Tier), 'tiers'),
    priority: row.priority,
    dailyCallLimit: row.daily_call_limit,
    price: row.price === null ? null : parseJson(row.price, Price, 'price'),
    secret: row.secret,
    headers: parseJson(row.headers, z.record(z.string(), z.string()), 'headers'),
    options: parseJson(row.options, z.record(z.string(), z.json()), 'options'),
    enabled: row.enabled === 1,
    timeoutMs: row.timeout_ms,
  };
  return { ...check(fields, ProviderFields, `provider ${row.name}`), id: row.id, createdAt: row.created_at, updatedAt: row.updated_at };
}
