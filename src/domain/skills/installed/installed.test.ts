import assert from 'node:assert/strict';
import { appendFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { auditMigrations, createAudit } from '#audit';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import type { AppError } from '#core/errors';
import { createBreakers } from '../breaker.ts';
import { createCatalogue } from '../catalogue.ts';
import { skillMigrations } from '../tables.ts';
import { testContext } from '../testing.ts';
import { createInstalledSkills, type InstalledSkillsDeps } from './installed.ts';
import type { Manifest } from './manifest.ts';
import type { SandboxRun } from './sandbox.ts';
import { createWallProbe } from './walls.ts';

const MANIFEST = { name: 'greet', version: '1.0.0', description: 'Says hello.' };

async function setup(over: Partial<InstalledSkillsDeps> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'castellan-installed-'));
  const store = await memoryStore(auditMigrations, skillMigrations);
  const bus = createBus((_, error) => assert.fail(String(error)));
  const clock = manualClock(Date.UTC(2026, 10, 21));
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 2, coolDownMs: 60_000 }) });
  const audit = createAudit({ store, clock, redact: (text) => text });
  const told: string[] = [];
  const granted: [string, Manifest | null][] = [];
  const runs: SandboxRun[] = [];
  const deps: InstalledSkillsDeps = {
    store,
    bus,
    clock,
    audit,
    catalogue: createCatalogue([], breakers),
    sandbox: {
      async run(run) {
        runs.push(run);
        return { outcome: 'on_success', output: 'hello' };
      },
    },
    walls: createWallProbe(),
    folder: join(home, 'skills'),
    tell: (severity, title) => void told.push(`${severity}: ${title}`),
    grants: async (skill) => async (_tx, manifest) => void granted.push([skill, manifest]),
    usedBy: async () => ['briefing'],
    onError: (message, error) => assert.fail(`${message}: ${String(error)}`),
    ...over,
  };
  const installed = createInstalledSkills(deps);
  let nth = 0;
  return {
    ...deps,
    home,
    installed,
    told,
    granted,
    runs,
    /** A folder to install from. */
    async source(manifest: Record<string, unknown> = {}, files: Readonly<Record<string, string>> = {}): Promise<string> {
      nth += 1;
      const folder = join(home, `source-${nth}`);
      for (const [path, text] of Object.entries({
        'main.ts': 'export default {};',
        'skill.json': JSON.stringify({ ...MANIFEST, ...manifest }),
        ...files,
      })) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      return folder;
    },
    async install(folder: string) {
      const { checksum } = await installed.preview(folder);
      return installed.install(folder, checksum, 'owner');
    },
    call: async (name = 'greet') => deps.catalogue.runnable(name).run({ input: null, config: {}, context: testContext() } as never),
    actions: async () => (await audit.list({ limit: 50 })).items.map(({ action, actor }) => `${action} by ${actor}`).toReversed(),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

test('a preview says what it is and asks for, and changes nothing', async () => {
  await using t = await setup();
  const folder = await t.source(
    { grants: ['net:fetch', 'memory:read'], hosts: ['api.example.com', '*.example.org'], title: 'Greeter' },
    { 'lib/a.ts': 'export {};', '.git/config': 'x', 'node_modules/x/index.js': 'x' },
  );
  const preview = await t.installed.preview(folder);
  assert.deepEqual([preview.name, preview.title, preview.version, preview.update], ['greet', 'Greeter', '1.0.0', null]);
  assert.deepEqual(
    preview.files.map(({ path }) => path),
    ['lib/a.ts', 'main.ts', 'skill.json'],
  );
  assert.deepEqual(preview.leftOut, ['.git', 'node_modules']);
  assert.deepEqual(
    preview.grants.map(({ grant, on }) => [grant, on]),
    [
      ['net:fetch', ['*.example.org', 'api.example.com']],
      ['memory:read', []],
    ],
  );
  assert.equal(preview.warnings.length, 2);
  assert.deepEqual([await t.installed.list(), t.catalogue.list()], [[], []]);
});

test('an install copies what was looked at, pins it, grants what was shown, and it can be run at once', async () => {
  await using t = await setup();
  const info = await t.install(await t.source({}, { 'lib/a.ts': 'export {};' }));
  assert.equal(info.state, 'enabled');
  const place = join(t.folder, 'greet', '1.0.0');
  assert.deepEqual((await readdir(place)).toSorted(), ['lib', 'main.ts', 'skill.json']);
  if (process.platform !== 'win32')
    assert.deepEqual([(await stat(place)).mode & 0o777, (await stat(join(place, 'main.ts'))).mode & 0o777], [0o700, 0o600]);
  assert.deepEqual(
    t.granted.map(([skill, manifest]) => [skill, manifest?.version]),
    [['greet', '1.0.0']],
  );
  assert.deepEqual(await t.actions(), ['skills.install by owner']);
  assert.equal((await t.call()).output, 'hello');
  assert.equal(t.runs[0]!.folder, place);
  assert.deepEqual([t.catalogue.info('greet').kind, t.catalogue.info('greet').version], ['installed', '1.0.0']);
});

test('what changed since the preview is not installed', async () => {
  await using t = await setup();
  const folder = await t.source();
  const { checksum } = await t.installed.preview(folder);
  await appendFile(join(folder, 'main.ts'), '// and more');
  await assert.rejects(t.installed.install(folder, checksum, 'owner'), { code: 'skill.changed' });
  assert.deepEqual(await t.installed.list(), []);
});

test('links, devices, odd names and too much are refused, and never followed', async () => {
  await using t = await setup();
  const refused = async (spoil: (folder: string) => Promise<unknown>, code = 'skill.bad_folder'): Promise<void> => {
    const folder = await t.source();
    await spoil(folder);
    await assert.rejects(t.installed.preview(folder), (error: AppError) => error.code === code);
  };
  if (process.platform !== 'win32') {
    await refused((folder) => symlink('/etc/passwd', join(folder, 'passwd')));
    await refused((folder) => symlink('/etc', join(folder, 'etc')));
    await refused(async (folder) => {
      await unlink(join(folder, 'main.ts'));
      await symlink('/etc/passwd', join(folder, 'main.ts'));
    });
    await refused((folder) => writeFile(join(folder, 'a\nb'), ''));
  }
  await refused((folder) => writeFile(join(folder, 'süß.ts'), ''));
  await refused((folder) => unlink(join(folder, 'main.ts')));
  await refused((folder) => writeFile(join(folder, 'MAIN.ts'), ''));
  await refused((folder) => mkdir(join(folder, 'a/b/c/d/e/f/g'), { recursive: true }));
  await refused((folder) => writeFile(join(folder, 'big'), Buffer.alloc(5 * 2 ** 20)), 'skill.too_large');
  await refused(async (folder) => {
    for (let i = 0; i < 201; i += 1) await writeFile(join(folder, `f${i}`), '');
  }, 'skill.too_large');
  await assert.rejects(t.installed.preview(join(t.home, 'nowhere')), { code: 'skill.no_folder' });
  await assert.rejects(t.installed.preview('/dev/null'), { code: 'skill.no_folder' });
});

test('what was tampered with is disabled before it runs, told to the owner, and stays disabled', async () => {
  const attacks: ((place: string) => Promise<unknown>)[] = [
    (place) => appendFile(join(place, 'main.ts'), ' '),
    (place) => writeFile(join(place, 'more.ts'), ''),
    (place) => writeFile(join(place, '.hidden'), ''),
    (place) => unlink(join(place, 'skill.json')),
    (place) => rm(place, { recursive: true }),
    async (place) => {
      await cp(join(place, 'main.ts'), join(place, '..', 'elsewhere.ts'));
      await unlink(join(place, 'main.ts'));
      await symlink(join(place, '..', 'elsewhere.ts'), join(place, 'main.ts'));
    },
  ];
  for (const attack of attacks) {
    await using t = await setup();
    await t.install(await t.source());
    await attack(join(t.folder, 'greet', '1.0.0'));
    await assert.rejects(t.call(), { code: 'skill.tampered' });
    assert.deepEqual([t.runs, t.told], [[], ['critical: The skill greet was tampered with']]);
    await assert.rejects(t.call(), { code: 'skill.disabled' });
    await assert.rejects(t.installed.enable('greet', 'owner'), { code: 'skill.tampered' });
    assert.deepEqual(await t.actions(), ['skills.install by owner', 'skills.tampered by system']);
    assert.equal((await t.installed.verify())[0]!.ok, false);
    const running = await t.installed.service.start({ signal: new AbortController().signal, exit: () => {} });
    assert.equal(running.health!().ok, false);
    await running.stop();
  }
});

test('nothing runs by being there: not a folder in the home, not an earlier version', async () => {
  await using t = await setup();
  const place = join(t.folder, 'dropped', '1.0.0');
  await mkdir(place, { recursive: true });
  await cp(await t.source({ name: 'dropped' }), place, { recursive: true });
  const running = await t.installed.service.start({ signal: new AbortController().signal, exit: () => {} });
  assert.equal(t.catalogue.find('dropped'), undefined);
  await running.stop();
});

test('an update shows how the grants differ, and takes the place of the old one', async () => {
  await using t = await setup();
  await t.install(await t.source({ grants: ['net:fetch', 'llm:call'], hosts: ['a.example', 'b.example'] }));
  const folder = await t.source({ version: '1.1.0', grants: ['net:fetch', 'memory:write'], hosts: ['b.example', 'c.example'] });
  const { update, checksum } = await t.installed.preview(folder);
  const lines = (all: readonly { grant: string; on: readonly string[] }[]) => all.map(({ grant, on }) => [grant, ...on].join(' '));
  assert.deepEqual(
    [update!.from, lines(update!.added), lines(update!.removed), lines(update!.kept)],
    ['1.0.0', ['net:fetch c.example', 'memory:write'], ['net:fetch a.example', 'llm:call'], ['net:fetch b.example']],
  );
  await assert.rejects(t.installed.install(folder, checksum, 'owner'), { code: 'skill.installed' });
  await assert.rejects(t.installed.update('other', folder, checksum, 'owner'), { code: 'skill.not_installed' });
  await t.installed.update('greet', folder, checksum, 'owner');
  assert.deepEqual(await readdir(join(t.folder, 'greet')), ['1.1.0']);
  assert.deepEqual((await t.call()).outcome, 'on_success');
  assert.equal(t.runs[0]!.manifest.version, '1.1.0');
  assert.deepEqual(
    t.granted.map(([, manifest]) => manifest?.version),
    ['1.0.0', '1.1.0'],
  );
  const again = await t.source({ version: '1.1.0' });
  await assert.rejects(t.installed.update('greet', again, (await t.installed.preview(again)).checksum, 'owner'), {
    code: 'skill.same_version',
  });
});

test('a removed skill is gone from the catalogue, the disk and the grants, and who asks hears why', async () => {
  await using t = await setup();
  await t.install(await t.source());
  assert.deepEqual(await t.installed.remove('greet', 'owner'), { name: 'greet', usedBy: ['briefing'] });
  assert.equal(t.catalogue.find('greet'), undefined);
  assert.match(t.catalogue.absent('greet'), /removed on 2026-11-21/);
  assert.deepEqual(await readdir(t.folder), []);
  assert.deepEqual(t.granted.at(-1), ['greet', null]);
  await assert.rejects(t.installed.get('greet'), { code: 'skill.not_installed' });
  await t.install(await t.source({ version: '2.0.0' }));
  assert.equal((await t.installed.list())[0]!.version, '2.0.0');
});

test('it can be disabled and enabled, and is as it was after a restart', async () => {
  await using t = await setup();
  await t.install(await t.source());
  await t.installed.disable('greet', 'owner');
  await assert.rejects(t.call(), { code: 'skill.disabled' });
  const later = createInstalledSkills({
    ...t,
    catalogue: createCatalogue([], { state: () => ({ state: 'closed', failures: 0, until: null }) } as never),
  });
  const running = await later.service.start({ signal: new AbortController().signal, exit: () => {} });
  await running.stop();
  assert.equal((await later.list())[0]!.reason, 'you disabled it');
  await t.installed.enable('greet', 'owner');
  assert.equal((await t.call()).output, 'hello');
});

test('a skill of the program is not replaced, and names that look alike are pointed out', async () => {
  const breakers = { state: () => ({ state: 'closed', failures: 0, until: null }) } as never;
  const catalogue = createCatalogue(
    [
      {
        name: 'web_fetch',
        aliases: ['fetch_page'],
        title: '',
        description: '',
        config: {},
        input: {},
        output: {},
        outcomes: [],
        grants: [],
        stepFields: [],
      } as never,
    ],
    breakers,
  );
  catalogue.list = () => [{ name: 'web_fetch', aliases: ['fetch_page'] }] as never;
  catalogue.info = () => ({ kind: 'built-in' }) as never;
  await using t = await setup({ catalogue });
  for (const name of ['web_fetch', 'fetch_page']) await assert.rejects(t.install(await t.source({ name })), { code: 'skill.name_taken' });
  assert.match((await t.installed.preview(await t.source({ name: 'web_fetchh' }))).warnings.join(), /web_fetch/);
  assert.match((await t.installed.preview(await t.source({ name: 'web_fe1ch' }))).warnings.join(), /web_fetch/);
});

test('a folder that others can write is copied, not used', async () => {
  await using t = await setup();
  const folder = await t.source();
  await chmod(folder, 0o777);
  await t.install(folder);
  await writeFile(join(folder, 'main.ts'), 'changed');
  assert.equal((await t.installed.verify('greet'))[0]!.ok, true);
  assert.equal(await readFile(join(t.folder, 'greet', '1.0.0', 'main.ts'), 'utf8'), 'export default {};');
});
