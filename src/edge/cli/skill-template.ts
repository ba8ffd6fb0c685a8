import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors';
import { manifestJsonSchema } from '#skills';

const PROGRAM = join(import.meta.dirname, '..', '..', '..');
const TEMPLATE = join(PROGRAM, 'examples', 'skills', 'template');
const SDK = ['index.ts', 'context.ts', 'error.ts', 'protocol.ts', 'testing.ts'];
const FILES = ['skill.json', 'main.ts', 'main.test.ts', 'README.md'];

const PACKAGE = {
  private: true,
  type: 'module',
  imports: { '#skill': './.sdk/index.ts', '#skill/testing': './.sdk/testing.ts' },
  scripts: { test: 'node --test' },
};
const TSCONFIG = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    skipLibCheck: true,
  },
};

/** Writes a skill that works, with types, a test and a README; returns the names of its files. */
export async function writeTemplate(name: string, folder: string): Promise<string[]> {
  if (!/^[a-z][a-z0-9_]{1,39}$/.test(name))
    throw new AppError('invalid', 'cli.bad_skill_name', 'A skill’s name is 2 to 40 lower-case letters, digits and "_": "word_count"', {
      name,
    });
  if (existsSync(folder))
    throw new AppError('conflict', 'cli.folder_exists', `${folder} is there already: choose another name, or --dir`, { folder });
  const title = name[0]!.toUpperCase() + name.slice(1).replaceAll('_', ' ');
  const files: Record<string, string> = {
    'package.json': json(PACKAGE),
    'tsconfig.json': json(TSCONFIG),
    '.sdk/skill.schema.json': json(manifestJsonSchema()),
  };
  for (const file of FILES) {
    const text = await readFile(join(TEMPLATE, file), 'utf8');
    files[file] = text.replace('"name": "template"', `"name": "${name}"`).replace('"title": "Template"', `"title": "${title}"`);
    if (file === 'README.md') files[file] = text.replaceAll(/^# template|run template/gm, (found) => found.replace('template', name));
  }
  for (const file of SDK) files[`.sdk/${file}`] = await readFile(join(PROGRAM, 'src', 'skill', file), 'utf8');
  await mkdir(join(folder, '.sdk'), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return Object.keys(files).toSorted();
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
