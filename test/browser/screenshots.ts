// Pictures of the interface for docs/screenshots, of a real agent on a fresh home: `node test/browser/screenshots.ts`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setup } from './setup.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'screenshots');
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

await mkdir(FOLDER, { recursive: true });
await using it = await setup();
const definition = {
  name: 'weekly-report',
  title: 'Weekly report',
  steps: [
    {
      id: 'ask',
      name: 'Ask before sending',
      approval: {
        question: 'The report is ready. May it go to the team list, 12 people?',
        options: [
          { id: 'send', label: 'Send it' },
          { id: 'keep', label: 'Not this week' },
        ],
      },
    },
  ],
};
await it.call('POST', '/api/workflows', { definition, enabled: true });
await it.call('POST', '/api/workflows/weekly-report/runs', {});
const { items } = await it.call<{ items: { id: string; title: string }[] }>('GET', '/api/runs');
const briefing = items.find(({ title }) => title === 'Morning briefing')!;

const folder = join(import.meta.dirname, '..', '..', 'examples', 'skills', 'hacker_news');
const { checksum } = await it.call<{ checksum: string }>('POST', '/api/installed-skills/preview', { folder });
await it.prove('POST', '/api/installed-skills', { folder, checksum });
await it.prove('POST', '/api/grants', { principal: 'workflow:weekly-report', capability: 'net:post', resource: '*', effect: 'deny' });
await it.prove('POST', '/api/tokens', { name: 'Backup of the runs', grants: ['runs:read'] });

const { id: talk } = await it.call<{ id: string }>('POST', '/api/conversations', {});
await it.call('POST', `/api/conversations/${talk}/turns`, { text: 'What did the news say about the harbour?' });

const PICTURES = [
  { name: 'home', path: '/', size: DESKTOP, colorScheme: 'light' },
  { name: 'home-dark', path: '/', size: DESKTOP, colorScheme: 'dark' },
  { name: 'home-phone', path: '/', size: PHONE, colorScheme: 'light' },
  { name: 'chat', path: `/chat/${talk}`, size: DESKTOP, colorScheme: 'light' },
  { name: 'run', path: `/runs/${briefing.id}`, size: DESKTOP, colorScheme: 'light' },
  { name: 'policy', path: '/policy', size: DESKTOP, colorScheme: 'light' },
  { name: 'security', path: '/security', size: DESKTOP, colorScheme: 'dark' },
  { name: 'skills', path: '/skills', size: DESKTOP, colorScheme: 'light' },
  { name: 'system', path: '/system', size: DESKTOP, colorScheme: 'light' },
] as const;

/** What is there when a page has all it shows. */
const shows: Readonly<Record<string, string>> = {
  policy: 'main li',
  security: 'main li',
  skills: 'main li',
  system: 'main header :text("All well")',
};

for (const { name, path, size, colorScheme } of PICTURES) {
  await using context = await it.owner({ viewport: size, colorScheme });
  const page = await context.newPage();
  await page.goto(it.agent.url + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('load');
  await page
    .locator(shows[path.split('/')[1]!] ?? '.markdown :is(li, p)')
    .first()
    .waitFor();
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
  console.log(`docs/screenshots/${name}.png`);
}
