import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  deleteWorkflow,
  exportWorkflow,
  getWorkflow,
  importWorkflow,
  listVersions,
  listWorkflows,
  saveWorkflow,
  validateWorkflow,
} from '#workflows/contract';
import { jsonOf, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { ago, show, table } from '../words.ts';

/** The stored graphs: shown, moved in and out, switched. */
export function workflowCommands(program: Command, cli: () => Cli): void {
  const group = program.command('workflows').description('stored workflows');

  group
    .command('list')
    .description('workflows by name')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listWorkflows, { limit: 500 });
      io.print(items, () =>
        table(
          ['NAME', 'STATE', 'STEPS', 'VERSION', 'STARTED BY', 'CHANGED'],
          items.map((w) => [
            w.name,
            w.enabled ? 'on' : 'off',
            w.stepCount,
            w.version,
            w.triggers.map(triggerWords).join('; ') || 'hand',
            ago(w.updatedAt, Date.now()),
          ]),
        ),
      );
    });

  group
    .command('show <workflow>')
    .description('one workflow, whole')
    .option('--at <version>', 'an older version', whole(1, 1e9))
    .option('--versions', 'its history')
    .action(async (id: string, options: { at?: number; versions?: boolean }) => {
      const io = cli();
      const client = await io.client();
      if (options.versions) {
        const { items } = await client.call(listVersions, { id });
        return io.print(items, () =>
          table(
            ['VERSION', 'SAVED', 'BY'],
            items.map((each) => [each.version, each.savedAt, each.savedBy]),
          ),
        );
      }
      const workflow = await client.call(getWorkflow, { id, ...(options.at !== undefined && { version: options.at }) });
      io.print(workflow, () => show(workflow.definition));
    });

  group
    .command('import <file>')
    .description('import a definition, or an AlexClaw export; it is switched off')
    .action(async (file: string) => {
      const io = cli();
      const { workflow, warnings } = await (await io.client()).call(importWorkflow, { document: await readJson(file, io) });
      io.print({ workflow, warnings }, () =>
        [
          `Imported "${workflow.name}", switched off. Switch it on with: castellan workflows enable ${workflow.name}`,
          ...warnings.map((warning) => `  note: ${warning}`),
        ].join('\n'),
      );
    });

  group
    .command('export <workflow>')
    .description('the definition as JSON')
    .option('--out <file>', 'write it to a file')
    .action(async (id: string, { out }: { out?: string }) => {
      const io = cli();
      const definition = await (await io.client()).call(exportWorkflow, { id });
      if (out) {
        await writeFile(out, `${JSON.stringify(definition, null, 2)}\n`);
        return io.print({ file: out }, () => `Wrote ${out}.`);
      }
      process.stdout.write(`${JSON.stringify(definition, null, 2)}\n`);
    });

  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    group
      .command(`${name} <workflow>`)
      .description(`switch a workflow ${enabled ? 'on' : 'off'}`)
      .action(async (id: string) => {
        const io = cli();
        const workflow = await (await io.client()).call(saveWorkflow, { id, enabled });
        io.print(workflow, () => `"${workflow.name}" is ${enabled ? 'on' : 'off'}.`);
      });
  }

  group
    .command('delete <workflow>')
    .description('delete a workflow; its runs are kept')
    .action(async (id: string) => {
      const io = cli();
      await (await io.client()).call(deleteWorkflow, { id });
      io.print({ deleted: id }, () => `Deleted "${id}".`);
    });

  group
    .command('validate <file>')
    .description('say what is wrong with a definition, by step and field; needs no agent')
    .action(async (file: string) => {
      const io = cli();
      const definition = await readJson(file, io);
      const client = await io.clientIfRunning();
      const result = client
        ? await client.call(validateWorkflow, { definition })
        : await (await import('../validate-offline.ts')).validateOffline(definition, io);
      io.print(result, () =>
        result.ok
          ? `${file} is valid.`
          : result.issues
              .map(({ step, field, message }) => `${step ? `step "${step}"` : 'workflow'}: ${field ? `${field}: ` : ''}${message}`)
              .join('\n'),
      );
      if (!result.ok) process.exitCode = 1;
    });
}

async function readJson(file: string, io: Cli): Promise<unknown> {
  return jsonOf(await readText(file, io), file);
}

function triggerWords(trigger: {
  kind: string;
  expression?: string;
  timeZone?: string | undefined;
  everyMs?: number;
  at?: string;
}): string {
  if (trigger.kind === 'cron') return `cron ${trigger.expression}${trigger.timeZone ? ` ${trigger.timeZone}` : ''}`;
  return trigger.kind === 'interval' ? `every ${Number(trigger.everyMs) / 1_000} s` : `at ${trigger.at}`;
}
