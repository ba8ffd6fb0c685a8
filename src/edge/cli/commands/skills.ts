import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Client } from '#core/client';
import type { Json } from '#core/json';
import {
  disableSkill,
  enableSkill,
  getInstalledSkill,
  getSkill,
  installSkill,
  listInstalledSkills,
  listSkills,
  previewSkill,
  removeSkill,
  runSkill,
  updateSkill,
  verifySkills,
  type GrantLine,
  type SkillInfo,
  type SkillPreview,
} from '#skills/contract';
import { jsonOf } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { oneLine, show, table } from '../words.ts';

/** What workflows can do: shown, tried, and brought in from outside. */
export function skillCommands(program: Command, cli: () => Cli): void {
  const group = program.command('skills').description('what workflows can do, and skills of others in their sandbox');
  group
    .command('list')
    .description('the catalogue')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listSkills, {});
      io.print(items, () =>
        table(
          ['NAME', 'KIND', 'VERSION', 'STATE', 'WHAT'],
          items.map((it) => [it.name, it.kind, it.version, stateOf(it), it.title]),
        ),
      );
    });
  group
    .command('show <name>')
    .description('schemas, outcomes, grants; of an installed one also its files’ checksum and state')
    .action(async (name: string) => {
      const io = cli();
      const client = await io.client();
      const skill = await client.call(getSkill, { name });
      const installed = skill.kind === 'installed' ? await client.call(getInstalledSkill, { name: skill.name }) : null;
      const all = installed ? { ...skill, installed } : skill;
      io.print(all, () => show(all));
    });
  group
    .command('run <name>')
    .description('try a skill once')
    .option('--input <json>', 'its input: JSON, @FILE, or - for standard input', 'null')
    .option('--config <json>', 'its configuration: JSON, @FILE, or -', '{}')
    .option('--prompt <text>', 'its prompt template')
    .option('--dry-run', 'perform no effect')
    .action(async (name: string, options: { input: string; config: string; prompt?: string; dryRun?: boolean }) => {
      const io = cli();
      const client = await io.client();
      const result = await client.call(runSkill, {
        name,
        input: await readJson(options.input, '--input', io),
        config: await readJson(options.config, '--config', io),
        dryRun: options.dryRun ?? false,
        ...(options.prompt !== undefined && { prompt: options.prompt }),
      });
      io.print(result, () => `${result.outcome}\n${show(result.output)}`);
    });
  installCommands(group, cli);
}

function installCommands(group: Command, cli: () => Cli): void {
  group
    .command('new <name>')
    .description('write the beginnings of a skill into a folder of that name; needs no agent')
    .option('--dir <folder>', 'the folder, when it is to be another')
    .action(async (name: string, { dir = name }: { dir?: string }) => {
      const io = cli();
      const { writeTemplate } = await import('../skill-template.ts');
      const files = await writeTemplate(name, resolve(dir));
      io.print({ folder: resolve(dir), files }, () =>
        [`Wrote ${resolve(dir)}:`, ...files.map((file) => `  ${file}`), '', `Next: castellan skills install ${dir}`].join('\n'),
      );
    });
  group
    .command('install <dir>')
    .description('look at a skill, approve what it asks for, and install it')
    .option('--yes', 'do not ask; the second factor is asked for all the same')
    .action(async (dir: string, { yes = false }: { yes?: boolean }) => {
      const io = cli();
      const client = await io.client();
      const folder = resolve(dir);
      const preview = await client.call(previewSkill, { folder });
      if (!(await approves(io, preview, yes))) return;
      const skill = await client.call(installSkill, { folder, checksum: preview.checksum });
      io.print(skill, () => `Installed "${skill.name}" ${skill.version}. Try it: castellan skills run ${skill.name}`);
    });
  group
    .command('update <dir or name>')
    .description('put another version in the place of an installed skill; by name, from the folder it came from')
    .option('--yes', 'do not ask; the second factor is asked for all the same')
    .action(async (what: string, { yes = false }: { yes?: boolean }) => {
      const io = cli();
      const client = await io.client();
      const folder = await folderOf(what, client);
      const preview = await client.call(previewSkill, { folder });
      if (!(await approves(io, preview, yes))) return;
      const skill = await client.call(updateSkill, { name: preview.name, folder, checksum: preview.checksum });
      io.print(skill, () => `"${skill.name}" is now ${skill.version}${preview.update ? `; it was ${preview.update.from}` : ''}.`);
    });
  group
    .command('remove <name>')
    .description('remove an installed skill, its files and its grants')
    .action(async (name: string) => {
      const io = cli();
      const removed = await (await io.client()).call(removeSkill, { name });
      io.print(removed, () =>
        [
          `Removed "${removed.name}".`,
          ...(removed.usedBy.length > 0 ? [`These workflows have a step of it and will fail there: ${removed.usedBy.join(', ')}`] : []),
        ].join('\n'),
      );
    });
  for (const [name, endpoint, says] of [
    ['enable', enableSkill, 'let a disabled skill run again'],
    ['disable', disableSkill, 'keep an installed skill from running'],
  ] as const) {
    group
      .command(`${name} <name>`)
      .description(says)
      .action(async (skill: string) => {
        const io = cli();
        const it = await (await io.client()).call(endpoint, { name: skill });
        io.print(it, () => `"${it.name}" is ${it.state}.`);
      });
  }
  group
    .command('verify [name]')
    .description('compare installed files with what was installed; what differs is disabled')
    .action(async (name?: string) => {
      const io = cli();
      const client = await io.client();
      const [{ items }, { walls }] = await Promise.all([
        client.call(verifySkills, name === undefined ? {} : { name }),
        client.call(listInstalledSkills, {}),
      ]);
      io.print({ items, walls }, () =>
        [
          ...(items.length === 0 ? ['No skill is installed.'] : []),
          ...items.map((it) => `${it.ok ? 'ok  ' : 'FAIL'}  ${it.name} ${it.version}${it.problem === null ? '' : `: ${it.problem}`}`),
          ...walls.missing.map((line) => `note: ${line}`),
        ].join('\n'),
      );
      if (items.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}

async function folderOf(what: string, client: Client): Promise<string> {
  const folder = resolve(what);
  return existsSync(join(folder, 'skill.json')) ? folder : (await client.call(getInstalledSkill, { name: what })).source;
}

/** Shows what would be approved; asks where somebody can answer. */
async function approves(io: Cli, preview: SkillPreview, yes: boolean): Promise<boolean> {
  io.say(previewWords(preview));
  if (yes || io.json || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(preview.update ? 'Update it? [y/N] ' : 'Install it? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}

function previewWords(preview: SkillPreview): string {
  const { name, version, title, description, author, update, grants, warnings, files, sizeBytes, checksum, walls } = preview;
  return [
    `${title} (${name} ${version})${author === null ? '' : `, by ${author}`}`,
    description,
    '',
    ...(update
      ? [
          `Against ${update.from}, which is installed:`,
          ...update.added.map((it) => `  + ${grantWords(it)}`),
          ...update.removed.map((it) => `  - ${grantWords(it)}`),
          ...update.kept.map((it) => `    ${grantWords(it)}`),
          ...(update.added.length + update.removed.length === 0 ? ['  It asks for nothing else than before.'] : []),
        ]
      : grants.length === 0
        ? ['It asks for nothing.']
        : ['It asks to:', ...grants.map((it) => `  ${grantWords(it)}`)]),
    ...warnings.map((line) => `Careful: ${line}.`),
    ...walls.missing.map((line) => `Note: ${line}.`),
    '',
    `${files.length} files, ${sizeBytes} bytes, checksum ${checksum.slice(0, 16)}…`,
  ]
    .map(oneLine)
    .join('\n');
}

const grantWords = ({ grant, on, says }: GrantLine): string => `${says} (${grant})${on.length > 0 ? `: ${on.join(', ')}` : ''}`;

function stateOf({ disabled, breaker }: SkillInfo): string {
  if (disabled !== null) return `disabled: ${disabled}`;
  return breaker.state === 'closed' ? 'ok' : `resting until ${breaker.until}`;
}

async function readJson(given: string, name: string, io: Cli): Promise<Json> {
  return jsonOf(given === '-' || given.startsWith('@') ? await readText(given.replace(/^@/, ''), io) : given, name);
}
