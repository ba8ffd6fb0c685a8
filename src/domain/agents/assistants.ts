import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import type { Audit } from '#audit';
import { NewAssistant, type Assistant, type AssistantPatch } from './contract.ts';
import {
  allAssistants,
  deleteAssistant,
  findAssistant,
  findAssistantByName,
  insertAssistant,
  updateAssistant,
  workspaceOfAssistant,
} from './queries.ts';
import { toAssistant } from './rows.ts';
import type { AssistantRow } from './tables.ts';

/** Personas that the owner talks to. */
export interface Assistants {
  list(): Promise<Assistant[]>;
  get(id: string): Promise<Assistant>;
  find(name: string): Promise<Assistant | null>;
  add(input: NewAssistant, by: string): Promise<Assistant>;
  change(id: string, patch: AssistantPatch, by: string): Promise<Assistant>;
  remove(id: string, by: string): Promise<void>;
}

export interface AssistantsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Pick<Audit, 'record'>;
  /** Names of backends there are. */
  readonly backends: readonly string[];
  /** Refuses what may not be kept in plain text. */
  readonly refuse: (value: Json, what: string) => void;
}

export function createAssistants({ store, clock, newId, audit, backends, refuse }: AssistantsDeps): Assistants {
  async function get(db: Db, id: string): Promise<AssistantRow> {
    const row = await findAssistant(db, id);
    if (!row) throw new AppError('not_found', 'agent.no_assistant', 'No such assistant', { id });
    return row;
  }

  async function checkName(tx: Db, name: string, id: string | null): Promise<void> {
    const other = await findAssistantByName(tx, name);
    if (other && other.id !== id)
      throw new AppError('conflict', 'agent.assistant_exists', `There is an assistant ${name} already; choose another name`, {
        field: 'name',
      });
  }

  function checkBackend(backend: string): void {
    if (!backends.includes(backend))
      throw new AppError('invalid', 'agent.unknown_backend', `backend: there is no ${backend}; choose one of ${backends.join(', ')}`, {
        field: 'backend',
        backends,
      });
  }

  return {
    list: async () => (await allAssistants(store.db)).map(toAssistant),
    get: async (id) => toAssistant(await get(store.db, id)),

    async find(name) {
      const row = await findAssistantByName(store.db, name);
      return row ? toAssistant(row) : null;
    },

    async add(input, by) {
      const { persona, budget, permissionMode, thinkingBudget, ...fields } = NewAssistant.parse(input);
      refuse({ name: fields.name, persona }, 'assistant');
      checkBackend(fields.backend);
      const at = clock.now();
      const row: AssistantRow = {
        ...fields,
        id: newId(),
        persona: JSON.stringify(persona),
        permission_mode: permissionMode,
        thinking_budget: thinkingBudget,
        budget: JSON.stringify(budget),
        created_at: at,
        updated_at: at,
      };
      await store.write(async (tx) => {
        await checkName(tx, row.name, null);
        await insertAssistant(tx, row);
        await audit.record(
          { actor: by, action: 'agents.add_assistant', resource: `assistant:${row.id}`, details: { name: row.name, backend: row.backend } },
          tx,
        );
      });
      return toAssistant(row);
    },

    async change(id, patch, by) {
      refuse({ name: patch.name ?? '', persona: patch.persona ?? {} }, 'assistant');
      if (patch.backend !== undefined) checkBackend(patch.backend);
      return store.write(async (tx) => {
        const row = await get(tx, id);
        if (patch.name !== undefined) await checkName(tx, patch.name, id);
        const { persona, budget, permissionMode, thinkingBudget, ...fields } = { ...toAssistant(row), ...given(patch) };
        const next: AssistantRow = {
          id,
          name: fields.name,
          tier: fields.tier,
          provider: fields.provider,
          model: fields.model,
          backend: fields.backend,
          persona: JSON.stringify(persona),
          permission_mode: permissionMode,
          thinking_budget: thinkingBudget,
          budget: JSON.stringify(budget),
          created_at: row.created_at,
          updated_at: clock.now(),
        };
        await updateAssistant(tx, id, next);
        await audit.record(
          { actor: by, action: 'agents.change_assistant', resource: `assistant:${id}`, details: { fields: Object.keys(given(patch)) } },
          tx,
        );
        return toAssistant(next);
      });
    },

    async remove(id, by) {
      await store.write(async (tx) => {
        const { name } = await get(tx, id);
        const workspace = await workspaceOfAssistant(tx, id);
        if (workspace)
          throw new AppError(
            'conflict',
            'agent.assistant_in_use',
            `${name} is the default assistant of ${workspace.name}: give that another one first`,
            { id, workspace: workspace.id },
          );
        await deleteAssistant(tx, id);
        await audit.record({ actor: by, action: 'agents.remove_assistant', resource: `assistant:${id}`, details: { name } }, tx);
      });
    },
  };
}

/** The fields of a patch that say something. */
function given<T extends object>(patch: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as never;
}
