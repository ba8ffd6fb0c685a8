// Pictures of the interface for docs/screenshots, of a real agent on a fresh home: `node test/browser/screenshots.ts`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setup } from './setup.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'screenshots');
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Long enough to be worked on without a model. */
const NOTE = `What matters in this note of the harbour office?

The harbour of Port Aldous reopened on Monday after four weeks of dredging. The new channel is nine metres deep, so the mail boat calls twice a day again. Fishermen had asked for the work since the storm of last winter filled the old channel with sand. The town paid a third of the cost and the province the rest. A second dredging of the channel is planned for spring, when the sand that the winter brings has settled. Until then, ships of more than two thousand tonnes must wait for high water before they enter the harbour. The office answers questions on weekday mornings, and the tide tables are at the door.`;

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
await it.call('POST', `/api/conversations/${talk}/turns`, { text: NOTE });

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
