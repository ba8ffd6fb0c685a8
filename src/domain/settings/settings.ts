import { z } from 'zod';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import { secret, type Secret } from '#core/secret';
import type { Service } from '#core/service';
import { referencedName, referenceTo } from '#vault/contract';
import type { Setting, SettingChange, SettingInfo, Tell } from './contract.ts';
import { nearest } from './nearest.ts';
import { addHistory, allValues, deleteValue, historyOf, keysWithHistory, putValue, type HistoryRow, type ValueRow } from './queries.ts';
import { invalid, isHeld, readEnv, readStored, readValue } from './reading.ts';

const HISTORY_SHOWN = 200;
const HISTORY_TRIED = 20;

export interface SettingsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Of every module; a key twice is a bug. */
  readonly definitions: readonly Setting[];
  /** Where the plain text of sensitive settings goes: the vault. */
  readonly secrets: { set(name: string, value: Secret, actor: string): Promise<unknown>; has(name: string): Promise<boolean> };
  /** The environment, for values of the first start. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tell: Tell;
  /** Refuses what may not be kept in plain text: a secret, or what stands for one that was taken out. */
  readonly refuse?: (value: Json, what: string) => void;
}

/** What the owner changes while the agent runs: typed, cached, kept with its history. */
export interface Settings {
  /** From memory, never waits. Throws before the service has started. A sensitive setting gives its reference. */
  get<T>(setting: Setting<T>): T;
  /** The same by key, for code that has no definition at hand. */
  value(key: string): unknown;
  /** Throws `settings.unknown_key` or `settings.invalid` and then changes nothing. Plain text for a sensitive setting goes to the vault. */
  set(key: string, value: unknown, actor: string): Promise<SettingInfo>;
  /** All of them or none. */
  setAll(values: Readonly<Record<string, unknown>>, actor: string): Promise<SettingInfo[]>;
  reset(key: string, actor: string): Promise<SettingInfo>;
  /** Gives a key the value it had at an entry of its history. */
  revert(key: string, changeId: string, actor: string): Promise<SettingInfo>;
  describe(key: string): SettingInfo;
  list(category?: string): SettingInfo[];
  /** Newest first, the last 200. */
  history(key: string): Promise<SettingChange[]>;
  /** Called with the new value after each change, as long as the signal lives. */
  subscribe<T>(setting: Setting<T>, handler: (value: T) => void | Promise<void>, signal: AbortSignal): void;
  /** Reads the table again, as after a restore or a change by another node. */
  reload(): Promise<void>;
  /** Loads the cache and, for keys never set, the values of the environment. A row that cannot be read stops nothing. */
  readonly service: Service;
}

interface Cached {
  readonly value: unknown;
  readonly row: ValueRow | null;
  readonly problem: string | null;
}

export function createSettings({
  store,
  bus,
  audit,
  clock,
  newId,
  definitions,
  secrets,
  env,
  tell,
  refuse = () => {},
}: SettingsDeps): Settings {
  const known = new Map(definitions.map((setting) => [setting.key, setting]));
  if (known.size < definitions.length)
    throw new Error(
      `Setting defined twice: ${definitions
        .map(({ key }) => key)
        .filter((key, at, all) => all.indexOf(key) !== at)
        .join(', ')}`,
    );
  let cache: Map<string, Cached> | null = null;

  function definition(key: string): Setting {
    const setting = known.get(key);
    if (setting) return setting;
    const like = nearest(key, known.keys());
    const hint = like.length > 0 ? `; did you mean ${like.join(', ')}?` : '';
    throw new AppError('not_found', 'settings.unknown_key', `No setting "${key}"${hint}`, { key, nearest: like });
  }

  function cached(key: string): Cached {
    if (!cache) throw new Error(`The setting ${key} was read before the settings were loaded`);
    return cache.get(key) ?? { value: definition(key).default, row: null, problem: null };
  }

  async function reload(): Promise<void> {
    const rows = await allValues(store.db);
    const fresh = new Map<string, Cached>();
    for (const row of rows) {
      const setting = known.get(row.key); // a row of a module that is not here is kept and left alone
      if (setting) fresh.set(row.key, await read(setting, row));
    }
    cache = fresh;
  }

  async function read(setting: Setting, row: ValueRow): Promise<Cached> {
    const reading = readStored(setting, row.value);
    if ('value' in reading) return { value: reading.value, row, problem: null };
    if (setting.sensitive) return conceal(setting, row);
    const { value, what } = await lastGood(setting);
    const problem = `The stored value ${reading.problem}`;
    tell(
      'warning',
      `Setting ${setting.key} cannot be read`,
      `${problem}. ${what} is in force instead. Set it again to mend this: castellan settings set ${setting.key} VALUE`,
    );
    return { value, row, problem };
  }

  /** Plain text that someone wrote into the table by hand moves to the vault. */
  async function conceal(setting: Setting, row: ValueRow): Promise<Cached> {
    const plain = unquoted(row.value);
    if (plain !== null && 'value' in readValue(setting, plain)) {
      try {
        await secrets.set(setting.key, secret(plain), 'system');
        const value = referenceTo(setting.key);
        const concealed = { ...row, value: JSON.stringify(value) };
        await store.write((tx) => putValue(tx, concealed));
        tell(
          'info',
          `Setting ${setting.key} was moved to the vault`,
          'Its plain text stood in the database. It may be in backups made before: rotate it if that matters.',
        );
        return { value, row: concealed, problem: null };
      } catch {
        // a vault that does not open is told of by the vault
      }
    }
    const problem = 'The stored value is neither a secret nor a reference to one';
    tell('warning', `Setting ${setting.key} cannot be read`, `${problem}. Set it again: castellan settings set ${setting.key} VALUE`);
    return { value: setting.default, row, problem };
  }

  async function lastGood(setting: Setting): Promise<{ value: unknown; what: string }> {
    for (const { value } of await historyOf(store.db, setting.key, HISTORY_TRIED)) {
      if (value === null) break;
      const reading = readStored(setting, value);
      if ('value' in reading) return { value: reading.value, what: 'The last value that could be read' };
    }
    return { value: setting.default, what: 'The default' };
  }

  async function seed(): Promise<void> {
    const settled = await keysWithHistory(store.db);
    for (const setting of known.values()) {
      const variable = setting.env?.find((name) => env[name]);
      if (!variable || settled.has(setting.key) || cache!.has(setting.key)) continue;
      const reading = readEnv(setting, env[variable]!);
      if ('problem' in reading) tell('warning', `${variable} was not taken over`, `${setting.key}: ${reading.problem}`);
      else
        await setAll({ [setting.key]: reading.value }, 'environment').catch((error: unknown) =>
          tell('warning', `${variable} was not taken over`, error instanceof AppError ? error.message : 'It could not be stored'),
        );
    }
  }

  /** What will be stored for a value; the plain text of a sensitive one goes into the vault on the way. */
  async function toStore(setting: Setting, value: unknown, actor: string): Promise<unknown> {
    if (setting.sensitive && isHeld(value)) {
      const name = referencedName(value);
      if (name !== null && !(await secrets.has(name))) throw invalid(setting, `there is no secret "${name}"`);
      return value;
    }
    const reading = readValue(setting, value);
    if ('problem' in reading) throw invalid(setting, reading.problem);
    if (!setting.sensitive) return reading.value;
    await secrets.set(setting.key, secret(String(reading.value)), actor);
    return referenceTo(setting.key);
  }

  async function setAll(values: Readonly<Record<string, unknown>>, actor: string): Promise<SettingInfo[]> {
    const wanted = Object.entries(values).map(([key, value]) => ({ setting: definition(key), value }));
    for (const { setting, value } of wanted) {
      // all are looked at before a secret of the first is stored
      const reading = setting.sensitive && isHeld(value) ? { value } : readValue(setting, value);
      if ('problem' in reading) throw invalid(setting, reading.problem);
      if (!setting.sensitive) refuse(value as Json, setting.key);
    }
    const changes: { setting: Setting; value: unknown }[] = [];
    for (const { setting, value } of wanted) changes.push({ setting, value: await toStore(setting, value, actor) });
    await store.write(async () => {
      for (const { setting, value } of changes) await change(setting, { value }, actor);
    });
    return changes.map(({ setting }) => describe(setting.key));
  }

  /** One change with its history and record; `next` null is the default. */
  async function change(setting: Setting, next: { readonly value: unknown } | null, actor: string): Promise<void> {
    const { key } = setting;
    await store.write(async (tx) => {
      const text = next === null ? null : JSON.stringify(next.value);
      const now = clock.now();
      const row = text === null ? null : { key, value: text, changed_at: now, changed_by: actor };
      if (row) await putValue(tx, row);
      else await deleteValue(tx, key);
      await addHistory(tx, { id: newId(), key, value: text, changed_at: now, changed_by: actor });
      await audit.record(
        {
          actor,
          action: next ? 'settings.set' : 'settings.reset',
          resource: `setting:${key}`,
          details: { from: cached(key).value, to: next ? next.value : setting.default },
        },
        tx,
      );
      store.onCommit(() => {
        if (next) cache!.set(key, { value: next.value, row, problem: null });
        else cache!.delete(key);
        bus.publish('settings.changed', { key, changedBy: actor });
      });
    });
  }

  async function reset(key: string, actor: string): Promise<SettingInfo> {
    await change(definition(key), null, actor);
    return describe(key);
  }

  function describe(key: string): SettingInfo {
    const setting = definition(key);
    const { value, row, problem } = cached(key);
    return {
      key,
      title: setting.title,
      description: setting.description,
      category: setting.category,
      sensitive: setting.sensitive ?? false,
      value: value as Json,
      default: setting.default as Json,
      isDefault: row === null,
      changedAt: row && new Date(row.changed_at).toISOString(),
      changedBy: row && row.changed_by,
      problem,
      schema: z.toJSONSchema(setting.schema, { unrepresentable: 'any', io: 'input' }) as Json,
    };
  }

  return {
    get: <T>(setting: Setting<T>) => cached(setting.key).value as T,
    value: (key) => cached(key).value,
    set: async (key, value, actor) => (await setAll({ [key]: value }, actor))[0]!,
    setAll,
    reset,

    async revert(key, changeId, actor) {
      const setting = definition(key);
      const entry = (await historyOf(store.db, key, HISTORY_SHOWN)).find((row) => row.id === changeId);
      if (!entry) throw new AppError('not_found', 'settings.no_change', `No such change of ${key}: see its history`, { key, id: changeId });
      if (entry.value === null) return reset(key, actor);
      const reading = readStored(setting, entry.value);
      if ('problem' in reading) throw invalid(setting, reading.problem);
      return (await setAll({ [key]: reading.value }, actor))[0]!;
    },

    describe,
    list: (category) =>
      Array.from(known.values())
        .filter((setting) => category === undefined || setting.category === category)
        .map(({ key }) => describe(key)),
    history: async (key) => (await historyOf(store.db, definition(key).key, HISTORY_SHOWN)).map(toChange),

    subscribe(setting, handler, signal) {
      bus.subscribe('settings.changed', ({ key }) => (key === setting.key ? handler(cached(key).value as never) : undefined), signal);
    },

    reload,
    service: {
      name: 'settings',
      async start() {
        await reload();
        await seed();
        return {
          stop: async () => {},
          health() {
            const bad = [...(cache ?? [])].filter(([, entry]) => entry.problem !== null).map(([key]) => key);
            return bad.length > 0 ? { ok: true, detail: `unreadable: ${bad.join(', ')}` } : { ok: true };
          },
        };
      },
    },
  };
}

/** The text of a row that should have been a reference: a JSON string, or not JSON at all. */
function unquoted(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return text;
  }
}

function toChange(row: HistoryRow): SettingChange {
  let value: Json | null = null;
  try {
    value = row.value === null ? null : (JSON.parse(row.value) as Json);
  } catch {
    value = '(unreadable)';
  }
  return { id: row.id, key: row.key, value, changedAt: new Date(row.changed_at).toISOString(), changedBy: row.changed_by };
}
