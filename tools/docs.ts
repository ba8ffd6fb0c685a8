// `npm run docs [-- --check]`: writes docs/reference from the code, or says which of its pages are stale.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandsPage } from './reference/commands.ts';
import { errorsPage } from './reference/errors.ts';
import { httpPage } from './reference/http.ts';
import { ROOT, type Page } from './reference/page.ts';
import { settingsPage } from './reference/settings.ts';

const PAGES: readonly Page[] = [commandsPage, errorsPage, httpPage, settingsPage];
const FOLDER = join(ROOT, 'docs', 'reference');

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
await mkdir(FOLDER, { recursive: true });
for (const page of PAGES) await refresh(page);

async function refresh({ file, title, make }: Page): Promise<void> {
  const body = await make();
  if (body === null) return console.log(`${file}: nothing to describe yet`);
  const text = `# ${title}\n\n<!-- Generated from the code by \`npm run docs\`. -->\n\n${body}\n`;
  const path = join(FOLDER, file);
  const before = await readFile(path, 'utf8').catch(() => '');
  if (before === text) return;
  if (values.check) {
    console.log(`docs/reference/${file} is stale: run \`npm run docs\``);
    process.exitCode = 1;
  } else {
    await writeFile(path, text);
    console.log(`wrote docs/reference/${file}`);
  }
}
