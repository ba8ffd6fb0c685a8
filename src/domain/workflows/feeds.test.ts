import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import { parseOpml } from '#feeds';
import { createTemplates, createWorkflowFeeds, createWorkflows, workflowMigrations } from '#workflows';

const WORLD = 'https://world.example/feed.xml';

async function setup() {
  const store = await memoryStore(workflowMigrations);
  const workflows = createWorkflows({
    store,
    bus: createBus((_, error) => assert.fail(String(error))),
    clock: systemClock,
    newId: uuidv7(),
    templates: createTemplates(),
    ports: {
      skill: (name) => ({ name, outcomes: ['ok'] }),
      checkConfig: () => [],
      checkTrigger: () => null,
      provider: async () => true,
    },
    syncTriggers: async () => {},
    removeTriggers: async () => {},
    audit: async () => {},
  });
  for (const name of ['briefing', 'other'])
    await workflows.create(
      { name, resources: [{ name: 'World', type: 'rss_feed', url: WORLD }], steps: [{ id: 'one', skill: 'x' }] },
      { enabled: true, by: 'owner' },
    );
  const feeds = createWorkflowFeeds({
    workflows,
    health: async () => [
      { url: WORLD, lastOkAt: '2026-01-01T00:00:00.000Z', failures: 0, lastError: null },
      { url: 'https://a.example/x', lastOkAt: null, failures: 3, lastError: 'answered with status 404' },
      { url: 'https://nobody.example/', lastOkAt: null, failures: 9, lastError: 'gone' },
    ],
  });
  return { feeds, workflows, [Symbol.asyncDispose]: () => store.close() };
}

const opml = (...urls: readonly string[]): string =>
  `<opml version="2.0"><body><outline text="News">${urls.map((url, at) => `<outline type="rss" text="Feed ${at}" xmlUrl="${url}"/>`).join('')}</outline></body></opml>`;

it('takes the feeds of an outline in, each once, with their folders; files and what is there already stay out', async () => {
  await using t = await setup();
  const done = await t.feeds.importOpml(
    'briefing',
    opml('https://a.example/x', 'HTTPS://World.example:443/feed.xml', 'file:///etc/passwd'),
    'owner',
  );
  assert.deepEqual(done, { workflow: 'briefing', added: ['https://a.example/x'], known: 1 });
  const { version, definition } = await t.workflows.get('briefing');
  assert.equal(version, 2);
  assert.deepEqual(
    definition.resources.map(({ name, url, tags }) => [name, url, tags]),
    [
      ['World', WORLD, []],
      ['Feed 0', 'https://a.example/x', ['News']],
    ],
  );
  assert.deepEqual((await t.feeds.importOpml('briefing', opml('https://a.example/x'), 'owner')).added, []);
  assert.equal((await t.workflows.get('briefing')).version, 2, 'nothing new is no new version');
  assert.deepEqual(
    parseOpml(await t.feeds.exportOpml('briefing')).map(({ title, xmlUrl, folders }) => [title, xmlUrl, folders]),
    [
      ['World', WORLD, []],
      ['Feed 0', 'https://a.example/x', ['News']],
    ],
  );
});

it('refuses what is no outline, and one without feeds', async () => {
  await using t = await setup();
  await assert.rejects(t.feeds.importOpml('briefing', 'hello', 'owner'), { code: 'feeds.not_opml' });
  await assert.rejects(t.feeds.importOpml('briefing', opml('file:///etc/passwd'), 'owner'), { code: 'workflow.no_feeds' });
  await assert.rejects(t.feeds.importOpml('nobody', opml(WORLD), 'owner'), { code: 'workflow.not_found' });
});

it('shows the owner how each feed does, who reads it, and those that fail first', async () => {
  await using t = await setup();
  await t.feeds.importOpml('briefing', opml('https://a.example/x', 'https://b.example/new'), 'owner');
  assert.deepEqual(
    (await t.feeds.list()).map(({ url, state, workflows, failures, lastError }) => [url, state, workflows, failures, lastError]),
    [
      ['https://a.example/x', 'failing', ['briefing'], 3, 'answered with status 404'],
      ['https://b.example/new', 'new', ['briefing'], 0, null],
      [WORLD, 'ok', ['briefing', 'other'], 0, null],
    ],
  );
});
