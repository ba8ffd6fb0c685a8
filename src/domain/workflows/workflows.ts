import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { fitted, fromAlexClaw, isAlexClaw } from './alexclaw.ts';
import { type Definition, Definition as DefinitionSchema, type Workflow, type WorkflowSummary } from './contract.ts';
import {
  anyWorkflow,
  findEvenDeleted,
  findVersion,
  findWorkflow,
  insertVersion,
  listWorkflowRows,
  versionsOf,
  type WorkflowRow,
} from './queries.ts';
import type { Templates } from './template.ts';
import { inspectDefinition, type Issue, readDefinition, type ValidationPorts } from './validate.ts';

/** The stored graphs and their history. */
export interface Workflows {
  list(page: { limit: number; cursor?: string | undefined }): Promise<{ items: WorkflowSummary[]; next: string | null }>;
  get(idOrName: string, version?: number): Promise<Workflow>;
  /** Names of workflows with a step of this skill. */
  usersOf(skill: string): Promise<readonly string[]>;
  /** The id of a name, for who asks for what a workflow left behind: an id is good even when its workflow was deleted. Throws `workflow.not_found`. */
  idOf(idOrName: string): Promise<string>;
  /** As it is within a transaction, for who starts it there. */
  getIn(tx: Db, idOrName: string): Promise<Workflow>;
  create(raw: unknown, options: { enabled: boolean; by: string }): Promise<Workflow>;
  /** A changed definition is a new version; running runs keep theirs. */
  save(idOrName: string, change: { definition?: unknown; enabled?: boolean | undefined }, by: string): Promise<Workflow>;
  remove(idOrName: string, by: string): Promise<void>;
  inspect(raw: unknown): Promise<readonly Issue[]>;
  /** Always switched off, whatever the file says. */
  importDocument(raw: unknown, by: string): Promise<{ workflow: Workflow; warnings: string[] }>;
  /** There never was one, not even one that was deleted since. */
  isUntouched(): Promise<boolean>;
  versions(idOrName: string): Promise<{ version: number; savedAt: string; savedBy: string }[]>;
}

export interface WorkflowsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly templates: Templates;
  readonly ports: Omit<ValidationPorts, 'workflow'>;
  /** In the same transaction: arms or disarms what the workflow's triggers say. */
  readonly syncTriggers: (tx: Db, workflow: { id: string; enabled: boolean; definition: Definition }) => Promise<void>;
  readonly removeTriggers: (tx: Db, workflowId: string) => Promise<void>;
  readonly audit: (entry: { actor: string; action: string; resource: string; details?: Record<string, unknown> }) => Promise<void>;
}

export function createWorkflows({
  store,
  bus,
  clock,
  newId,
  templates,
  ports,
  syncTriggers,
  removeTriggers,
  audit,
}: WorkflowsDeps): Workflows {
  const allPorts: ValidationPorts = { ...ports, workflow: async (name) => (await findWorkflow(store.db, name)) !== undefined };

  async function row(idOrName: string, db: Db = store.db): Promise<WorkflowRow> {
    const found = await findWorkflow(db, idOrName);
    if (!found) throw notFound(idOrName);
    return found;
  }

  async function create(raw: unknown, { enabled, by }: { enabled: boolean; by: string }): Promise<Workflow> {
    const definition = await readDefinition(raw, allPorts, templates);
    const id = newId();
    await store.write(async (tx) => {
      if (await findWorkflow(tx, definition.name)) throw nameTaken(definition.name);
      const at = clock.now();
      await tx
        .insertInto('workflow_workflow')
        .values({
          id,
          name: definition.name,
          title: titleOf(definition),
          enabled: enabled ? 1 : 0,
          version: 1,
          created_at: at,
          updated_at: at,
          deleted_at: null,
        })
        .execute();
      await insertVersion(tx, { workflow_id: id, version: 1, definition: JSON.stringify(definition), saved_at: at, saved_by: by });
      await syncTriggers(tx, { id, enabled, definition });
    });
    await audit({ actor: by, action: 'workflow.create', resource: `workflow:${definition.name}`, details: { enabled } });
    return told(id);
  }

  async function save(idOrName: string, change: { definition?: unknown; enabled?: boolean | undefined }, by: string): Promise<Workflow> {
    const old = await row(idOrName);
    const definition = change.definition === undefined ? parse(old) : await readDefinition(change.definition, allPorts, templates);
    const enabled = change.enabled ?? old.enabled === 1;
    const text = JSON.stringify(definition);
    await store.write(async (tx) => {
      const now = await findWorkflow(tx, old.id);
      if (!now) throw notFound(idOrName);
      const other = await findWorkflow(tx, definition.name);
      if (other && other.id !== old.id) throw nameTaken(definition.name);
      const version = text === now.definition ? now.version : now.version + 1;
      const at = clock.now();
      await tx
        .updateTable('workflow_workflow')
        .set({ name: definition.name, title: titleOf(definition), enabled: enabled ? 1 : 0, version, updated_at: at })
        .where('id', '=', old.id)
        .execute();
      if (version !== now.version) await insertVersion(tx, { workflow_id: old.id, version, definition: text, saved_at: at, saved_by: by });
      await syncTriggers(tx, { id: old.id, enabled, definition });
    });
    await audit({ actor: by, action: 'workflow.save', resource: `workflow:${definition.name}`, details: { enabled } });
    return told(old.id);
  }

  async function remove(idOrName: string, by: string): Promise<void> {
    const { id, name } = await row(idOrName);
    await store.write(async (tx) => {
      await tx.updateTable('workflow_workflow').set({ deleted_at: clock.now(), enabled: 0 }).where('id', '=', id).execute();
      await removeTriggers(tx, id);
      store.onCommit(() => bus.publish('workflow.removed', { id, name }));
    });
    await audit({ actor: by, action: 'workflow.delete', resource: `workflow:${name}` });
  }

  async function importDocument(raw: unknown, by: string): Promise<{ workflow: Workflow; warnings: string[] }> {
    const read = isAlexClaw(raw) ? fromAlexClaw(raw) : null;
    const warnings = read?.warnings ?? [];
    const named = await withFreeName(read ? await fitted(read.definition, allPorts, warnings) : raw, warnings);
    return { workflow: await create(named, { enabled: false, by }), warnings };
  }

  async function withFreeName(definition: unknown, warnings: string[]): Promise<unknown> {
    const name = (definition as { name?: unknown } | null)?.name;
    if (typeof name !== 'string') return definition;
    let free = name;
    for (let n = 2; await findWorkflow(store.db, free); n += 1) free = `${name}-${n}`;
    if (free !== name) warnings.push(`The name "${name}" was taken; it is called "${free}" here.`);
    return { ...(definition as object), name: free };
  }

  async function told(id: string): Promise<Workflow> {
    const workflow = toWorkflow(await row(id));
    bus.publish('workflow.saved', { workflow: summary(workflow) });
    return workflow;
  }

  return {
    async usersOf(skill) {
      const rows = await listWorkflowRows(store.db, undefined, MOST_WORKFLOWS);
      return rows.filter(({ definition }) => hasSkill(JSON.parse(definition), skill)).map(({ name }) => name);
    },
    async list({ limit, cursor }) {
      const rows = await listWorkflowRows(store.db, cursor, limit + 1);
      const items = rows.slice(0, limit).map((each) => summary(toWorkflow(each)));
      return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null };
    },
    async get(idOrName, version) {
      const found = await row(idOrName);
      if (version === undefined || version === found.version) return toWorkflow(found);
      const old = await findVersion(store.db, found.id, version);
      if (!old)
        throw new AppError('not_found', 'workflow.no_version', `"${found.name}" has no version ${version}`, {
          workflow: found.id,
          version,
        });
      return toWorkflow({ ...found, version, definition: old.definition });
    },
    async idOf(idOrName) {
      const found = (await findWorkflow(store.db, idOrName)) ?? (await findEvenDeleted(store.db, idOrName));
      if (!found) throw notFound(idOrName);
      return found.id;
    },
    getIn: async (tx, idOrName) => toWorkflow(await row(idOrName, tx)),
    create,
    save,
    remove,
    async inspect(raw) {
      return (await inspectDefinition(raw, allPorts, templates)).issues;
    },
    importDocument,
    isUntouched: async () => !(await anyWorkflow(store.db)),
    async versions(idOrName) {
      const { id } = await row(idOrName);
      return (await versionsOf(store.db, id)).map((each) => ({
        version: each.version,
        savedAt: new Date(each.saved_at).toISOString(),
        savedBy: each.saved_by,
      }));
    },
  };
}

const titleOf = (definition: Definition): string => definition.title ?? definition.name;

function parse(row: WorkflowRow): Definition {
  return DefinitionSchema.parse(JSON.parse(row.definition));
}

function toWorkflow(row: WorkflowRow): Workflow {
  const definition = parse(row);
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    description: definition.description,
    enabled: row.enabled === 1,
    version: row.version,
    stepCount: definition.steps.length,
    triggers: definition.triggers,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
    definition,
  };
}

function summary({ definition: _definition, ...rest }: Workflow): WorkflowSummary {
  return rest;
}

const notFound = (idOrName: string): AppError =>
  new AppError('not_found', 'workflow.not_found', `There is no workflow "${idOrName}"`, { workflow: idOrName });

function nameTaken(name: string): AppError {
  return new AppError('conflict', 'workflow.name_taken', `There is already a workflow "${name}"; choose another name`, { name });
}

const MOST_WORKFLOWS = 10_000;

/** Whether a definition names the skill in any step, however deep. */
function hasSkill(at: unknown, skill: string): boolean {
  if (at === null || typeof at !== 'object') return false;
  return (at as { skill?: unknown }).skill === skill || Object.values(at).some((each) => hasSkill(each, skill));
}
