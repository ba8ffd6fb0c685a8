import { mkdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import type { Audit } from '#audit';
import { OWNER_SCOPE } from '#memory/contract';
import { NewWorkspace, type Workspace, type WorkspacePatch } from './contract.ts';
import {
  allWorkspaces,
  conversationIn,
  deleteWorkspace,
  findAssistant,
  findWorkspace,
  findWorkspaceByName,
  firstWorkspace,
  insertWorkspace,
  updateWorkspace,
} from './queries.ts';
import { toWorkspace } from './rows.ts';
import type { WorkspaceRow } from './tables.ts';

/** Projects of the owner. There is always at least one. */
export interface Workspaces {
  list(): Promise<Workspace[]>;
  get(id: string): Promise<Workspace>;
  /** Makes the folder too. */
  add(input: NewWorkspace, by: string): Promise<Workspace>;
  change(id: string, patch: WorkspacePatch, by: string): Promise<Workspace>;
  remove(id: string, by: string): Promise<void>;
  /** Whose memories those of a workspace are, by its name: its id; those of none are the owner's. Throws `agent.no_workspace`. */
  memoryScope(name: string | null, db?: Db): Promise<string>;
  /** The oldest one: where talk goes that names none. */
  first(): Promise<Workspace>;
}

export interface WorkspacesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Pick<Audit, 'record'>;
  /** Where the folders of workspaces go that name none. */
  readonly workspacesFolder: string;
  /** Refuses what may not be kept in plain text. */
  readonly refuse: (value: Json, what: string) => void;
}

export function createWorkspaces({ store, clock, newId, audit, workspacesFolder, refuse }: WorkspacesDeps): Workspaces {
  async function makeFolder(folder: string): Promise<void> {
    if (!isAbsolute(folder))
      throw new AppError('invalid', 'agent.folder_not_absolute', `folder: ${folder} is not absolute: begin it with /`, { field: 'folder' });
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
      throw new AppError(
        'invalid',
        'agent.folder_unusable',
        `folder: ${folder} cannot be made: ${(cause as Error).message}`,
        { field: 'folder' },
        cause,
      );
    });
  }

  async function get(db: Db, id: string): Promise<WorkspaceRow> {
    const row = await findWorkspace(db, id);
    if (!row) throw new AppError('not_found', 'agent.no_workspace', 'No such workspace', { id });
    return row;
  }

  async function checkName(tx: Db, name: string, id: string | null): Promise<void> {
    const other = await findWorkspaceByName(tx, name);
    if (other && other.id !== id)
      throw new AppError('conflict', 'agent.workspace_exists', `There is a workspace ${name} already; choose another name`, {
        field: 'name',
      });
  }

  async function checkAssistant(tx: Db, id: string): Promise<void> {
    if (!(await findAssistant(tx, id)))
      throw new AppError('invalid', 'agent.no_assistant', 'defaultAssistantId: no such assistant', { field: 'defaultAssistantId', id });
  }

  return {
    list: async () => (await allWorkspaces(store.db)).map(toWorkspace),
    get: async (id) => toWorkspace(await get(store.db, id)),

    async memoryScope(name, db = store.db) {
      if (name === null) return OWNER_SCOPE;
      const row = await findWorkspaceByName(db, name);
      if (!row) throw new AppError('not_found', 'agent.no_workspace', `There is no workspace "${name}" any more`, { name });
      return row.id;
    },

    async first() {
      const row = await firstWorkspace(store.db);
      if (!row) throw new AppError('unavailable', 'agent.not_seeded', 'There is no workspace yet: the agent is still starting');
      return toWorkspace(row);
    },

    async add(input, by) {
      const { name, folder: given, defaultAssistantId, budget } = NewWorkspace.parse(input);
      refuse({ name, folder: given ?? '' }, 'workspace');
      const id = newId();
      const folder = given ?? join(workspacesFolder, folderName(name, id));
      await makeFolder(folder);
      return store.write(async (tx) => {
        await checkName(tx, name, null);
        const assistantId = defaultAssistantId ?? (await firstWorkspace(tx))?.default_assistant_id;
        if (assistantId === undefined)
          throw new AppError('invalid', 'agent.no_assistant', 'defaultAssistantId: name the assistant of this workspace', {
            field: 'defaultAssistantId',
          });
        await checkAssistant(tx, assistantId);
        const at = clock.now();
        const row: WorkspaceRow = {
          id,
          name,
          folder,
          default_assistant_id: assistantId,
          budget: JSON.stringify(budget),
          created_at: at,
          updated_at: at,
        };
        await insertWorkspace(tx, row);
        await audit.record({ actor: by, action: 'agents.add_workspace', resource: `workspace:${id}`, details: { name, folder } }, tx);
        return toWorkspace(row);
      });
    },

    async change(id, { name, folder, defaultAssistantId, budget }, by) {
      refuse({ name: name ?? '', folder: folder ?? '' }, 'workspace');
      if (folder !== undefined) await makeFolder(folder);
      return store.write(async (tx) => {
        const row = await get(tx, id);
        if (name !== undefined) await checkName(tx, name, id);
        if (defaultAssistantId !== undefined) await checkAssistant(tx, defaultAssistantId);
        const next: WorkspaceRow = {
          ...row,
          name: name ?? row.name,
          folder: folder ?? row.folder,
          default_assistant_id: defaultAssistantId ?? row.default_assistant_id,
          budget: budget ? JSON.stringify(budget) : row.budget,
          updated_at: clock.now(),
        };
        await updateWorkspace(tx, id, next);
        await audit.record(
          {
            actor: by,
            action: 'agents.change_workspace',
            resource: `workspace:${id}`,
            details: { name, folder, defaultAssistantId, budget },
          },
          tx,
        );
        return toWorkspace(next);
      });
    },

    async remove(id, by) {
      await store.write(async (tx) => {
        await get(tx, id);
        if (await conversationIn(tx, id))
          throw new AppError('conflict', 'agent.workspace_in_use', 'This workspace has conversations: delete them first', { id });
        if ((await allWorkspaces(tx)).length === 1)
          throw new AppError('conflict', 'agent.last_workspace', 'This is the only workspace: make another one first', { id });
        await deleteWorkspace(tx, id);
        await audit.record({ actor: by, action: 'agents.remove_workspace', resource: `workspace:${id}` }, tx);
      });
    },
  };
}

/** A name that every file system takes; without letters of ASCII, the id. */
function folderName(name: string, id: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || id
  );
}
