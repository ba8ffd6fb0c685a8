import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { listNotifications } from '#notifications/contract';
import { getSetting, putSetting } from '#settings/contract';
import { createWorkflow, getWorkflow, listWorkflows } from '#workflows/contract';
import { eventually, folder, launch, startAgent, type LaunchOptions } from './agent.ts';

/** What a start that failed told a person: everything in its log that is not a line of JSON. */
async function refusal(options: LaunchOptions): Promise<{ readonly code: number | null; readonly words: string[] }> {
  await using it = launch(options);
  const { code } = await it.ended;
  const words = (it.log() + it.said()).split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return { code, words };
}

function assertOneSentence(words: readonly string[], pattern: RegExp): void {
  assert.equal(words.length, 1, words.join('\n'));
  assert.match(words[0]!, /^castellan: /);
  assert.match(words[0]!, pattern);
  assert.ok(words[0]!.length < 400);
}

const SMALL_DEFINITION = (name: string) => ({ name, steps: [{ id: 'rest', wait: { forMs: 1 } }] });

describe('a start that cannot be', { concurrency: 2 }, () => {
  it('says which option it does not know, and which was meant', async () => {
    await using home = await folder();
    const { code, words } = await refusal({ home: home.path, env: { CASTELLAN_PROT: '4848' } });
    assert.equal(code, 78);
    assertOneSentence(words, /CASTELLAN_PROT.*CASTELLAN_PORT/);
  });

  it('says what is wrong with a port', async () => {
    await using home = await folder();
    for (const [how, name] of [
      [{ args: ['--port', 'http'] }, '--port'],
      [{ env: { CASTELLAN_PORT: '65536' } }, 'CASTELLAN_PORT'],
    ] as const) {
      const { code, words } = await refusal({ home: home.path, ...how });
      assert.equal(code, 78);
      assertOneSentence(words, new RegExp(`${name} .*number from 0 to 65535`));
    }
  });

  it('says that a flag is not known', async () => {
    await using home = await folder();
    const { code, words } = await refusal({ home: home.path, args: ['--prot', '1'] });
    assert.equal(code, 78);
    assertOneSentence(words, /'--prot'.*--port/);
  });

  it('on a home that is a file, or in one', async () => {
    await using home = await folder();
    const file = join(home.path, 'file');
    await writeFile(file, 'mine');
    for (const path of [file, join(file, 'below')]) {
      const { code, words } = await refusal({ home: path });
      assert.equal(code, 78);
      assertOneSentence(words, /is not a folder/);
    }
    assert.equal(await readFile(file, 'utf8'), 'mine');
  });

  it('beyond loopback without a password', async () => {
    await using home = await folder();
    const { code, words } = await refusal({ home: home.path, args: ['--host', '0.0.0.0'] });
    assert.equal(code, 78);
    assertOneSentence(words, /password/);
  });

  it('on a port that another program has', async () => {
    await using home = await folder();
    await using other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    for (const flag of ['--port', '--ingress-port']) {
      const { code, words } = await refusal({ home: home.path, args: [flag, String(port)] });
      assert.equal(code, 78);
      assertOneSentence(words, new RegExp(`Port ${port} .*in use`));
    }
  });

  it('on a home that another agent has, which goes on undisturbed', async () => {
    await using home = await folder();
    await using first = await startAgent({ home: home.path });
    const { code, words } = await refusal({ home: home.path });
    assert.equal(code, 75);
    assertOneSentence(words, new RegExp(`already runs .*process ${first.pid}`));
    assert.equal((await fetch(`${first.url}/ready`)).status, 200);
    assert.equal(await first.stop(), 0);
  });

  it('on a damaged database, which is left as it is', async () => {
    await using home = await folder();
    const path = join(home.path, 'castellan.db');
    const agent = await startAgent({ home: home.path });
    await agent.stop();
    const whole = await readFile(path);
    const damages = {
      'another file': Buffer.from('This is a shopping list and no database.\n'.repeat(200)),
      'a page torn': Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096 * 2, 0xff), whole.subarray(-4_096)]),
      'cut short': whole.subarray(0, Math.floor(whole.length / 2)),
    };
    for (const [what, bytes] of Object.entries(damages)) {
      await rm(`${path}-wal`, { force: true });
      await rm(`${path}-shm`, { force: true });
      await writeFile(path, bytes);
      const { code, words } = await refusal({ home: home.path });
      assert.equal(code, 78, `${what}: ${words.join('\n')}`);
      assertOneSentence(words, /castellan\.db.*(damaged|not a database|malformed)/);
      assert.deepEqual(await readFile(path), bytes, what);
    }
    await writeFile(path, whole);
    const again = await startAgent({ home: home.path });
    assert.equal(await again.stop(), 0);
  });
});

describe('an agent in trouble', { concurrency: 2 }, () => {
  it('starts with a setting that cannot be read, by its last good value, and says so', async () => {
    await using home = await folder();
    const first = await startAgent({ home: home.path });
    await first.client.call(putSetting, { key: 'owner.time_zone', value: 'Europe/Vienna' });
    await first.stop();
    const db = new DatabaseSync(join(home.path, 'castellan.db'));
    db.exec(`update settings_value set value = '{"not json' where key = 'owner.time_zone'`);
    db.exec(`insert into settings_value (key, value, changed_at, changed_by) values ('no.such_setting', '1', 0, 'nobody')`);
    db.close();
    await using agent = await startAgent({ home: home.path });
    const { value, problem } = await agent.client.call(getSetting, { key: 'owner.time_zone' });
    assert.equal(value, 'Europe/Vienna');
    assert.match(problem!, /stored value/);
    const told = await eventually(
      () => agent.client.call(listNotifications, {}),
      ({ items }) => items.length > 0,
    );
    assert.match(told.items.map(({ title, body }) => `${title}: ${body}`).join(), /owner\.time_zone cannot be read.*last value/);
    assert.equal((await agent.client.call(putSetting, { key: 'owner.time_zone', value: 'Asia/Tokyo' })).problem, null);
  });

  const canMount = mountable();

  it('on a disk that is read-only says so and does not start', { skip: canMount }, async () => {
    await using disk = await mount('ro,size=1m');
    const { code, words } = await refusal({ home: join(disk.path, 'home') });
    assert.equal(code, 78);
    assertOneSentence(words, /read-only/);
  });

  it(
    'on a full disk refuses what it cannot keep, stays up, loses nothing, and goes on when there is room',
    { skip: canMount },
    async () => {
      await using disk = await mount('size=6m');
      const home = join(disk.path, 'home');
      await using agent = await startAgent({ home });
      const kept: string[] = [];
      const create = async (at: number): Promise<unknown> => {
        const name = `kept-${at}`;
        const definition = { ...SMALL_DEFINITION(name), description: `${at}`.padEnd(4_000, '.') };
        await agent.client.call(createWorkflow, { definition });
        return kept.push(name);
      };
      for (let at = 0; at < 3; at += 1) await create(at);
      const ballast = join(disk.path, 'ballast');
      await writeFile(ballast, Buffer.alloc(16 * 1024 * 1024)).catch(() => {});
      assert.ok((await stat(ballast)).size > 100_000);
      let refused: unknown;
      for (let at = 3; at < 2_000 && !refused; at += 1)
        refused = await create(at).then(
          () => undefined,
          (error: unknown) => error,
        );
      assert.equal((refused as { code?: string }).code, 'store.disk_full', String(refused));
      assert.equal((await fetch(`${agent.url}/ready`)).status, 200);
      const names = async (): Promise<string[]> => {
        const found: string[] = [];
        for (let cursor: string | undefined, more = true; more;) {
          const { items, next } = await agent.client.call(listWorkflows, { limit: 100, ...(cursor !== undefined && { cursor }) });
          found.push(...items.map(({ name }) => name));
          [cursor, more] = [next ?? undefined, next !== null];
        }
        return found.filter((name) => name.startsWith('kept-')).toSorted();
      };
      assert.deepEqual(await names(), kept.toSorted());

      await rm(ballast);
      await eventually(
        () =>
          create(5_000).then(
            () => true,
            () => false,
          ),
        (done) => done,
      );
      assert.deepEqual(await names(), kept.toSorted());
      await agent.kill();
      await using again = await startAgent({ home });
      for (const name of [kept[0]!, kept.at(-1)!]) assert.equal((await again.client.call(getWorkflow, { id: name })).name, name);
    },
  );
});

/** False when this machine lets us mount a disk of our own; otherwise why not. */
function mountable(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root, to mount a small disk';
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this machine lets nobody mount a disk';
  }
}

async function mount(options: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const parent = await folder();
  const path = join(parent.path, 'disk');
  await mkdir(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [path]);
      await parent[Symbol.asyncDispose]();
    },
  };
}
