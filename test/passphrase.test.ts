import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listSecrets, putSecret, rotateMasterKey } from '#vault/contract';
import { folder, launch, startAgent } from './agent.ts';

const WORDS = 'velvet orchard tram seven';
const ROOT = join(import.meta.dirname, '..');

describe('a vault with a passphrase', () => {
  it('opens at the start by a credential or a descriptor, comes back after a crash, and refuses to start where nobody can be asked', async () => {
    await using home = await folder();
    {
      await using agent = await startAgent({ home: home.path });
      await agent.client.call(putSecret, { name: 'kept', value: 'Quiet-Otter-77-Lamp-Brick-043' });
      const { kind } = await agent.client.call(rotateMasterKey, { to: 'passphrase', key: WORDS });
      assert.equal(kind, 'passphrase');
      await agent.stop();
    }
    assert.ok(!(await readdir(home.path)).some((name) => name.startsWith('master.key')));

    await using refused = launch({ home: home.path });
    assert.deepEqual(await refused.ended, { code: 78, signal: null });
    assert.match(refused.log(), /opens with a passphrase: start Castellan at a terminal/);

    const credentials = join(home.path, 'credentials');
    await mkdir(credentials);
    await writeFile(join(credentials, 'castellan-passphrase'), 'not the one\n');
    await using wrong = launch({ home: home.path, env: { CREDENTIALS_DIRECTORY: credentials } });
    assert.equal((await wrong.ended).code, 78);
    await writeFile(join(credentials, 'castellan-passphrase'), `${WORDS}\n`);
    {
      await using agent = await startAgent({ home: home.path, env: { CREDENTIALS_DIRECTORY: credentials } });
      assert.deepEqual(
        (await agent.client.call(listSecrets, {})).items.map(({ name }) => name),
        ['kept'],
      );
      await agent.stop();
    }

    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'src/castellan.ts', 'start', '--home', home.path, '--port', '0', '--ingress-port', '0'],
      {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], HOME: home.path, CASTELLAN_PASSPHRASE_FD: '3' },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    (child.stdio[3] as NodeJS.WritableStream).end(`${WORDS}\n`);
    const ready = async (times: number): Promise<void> => {
      for (let n = 0; n < 3_000 && said.split(' is ready at ').length <= times; n += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(said.split(' is ready at ').length > times, said);
    };
    try {
      await ready(1);
      const { pid } = JSON.parse(await readFile(join(home.path, 'run', 'agent.json'), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      await ready(2); // its launcher gave it the passphrase again
    } finally {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    assert.ok(!said.includes(WORDS));
  });
});
