import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    workflow_workflow: {
      id: string;
      name: string;
      title: string;
      enabled: number;
      version: number;
      created_at: number;
      updated_at: number;
      deleted_at: number | null;
    };
    workflow_version: { workflow_id: string; version: number; definition: string; saved_at: number; saved_by: string };
  }
}

export const workflowMigrations: readonly Migration[] = [
  {
    name: 'workflow-001-workflow',
    ddl: [
      `create table workflow_workflow (
        id text primary key, name text not null, title text not null, enabled integer not null check (enabled in (0, 1)),
        version integer not null, created_at integer not null, updated_at integer not null, deleted_at integer) strict`,
      'create unique index workflow_workflow_name on workflow_workflow (name) where deleted_at is null',
      `create table workflow_version (
        workflow_id text not null, version integer not null, definition text not null, saved_at integer not null, saved_by text not null,
        primary key (workflow_id, version)) strict`,
    ],
  },
];
