import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createWorkflow, getWorkflow } from '#workflows/contract';
import { clientFor, eventually, folder, launch, startAgent } from './agent.ts';

/** Whether a process runs; one that is dead but not yet buried by its parent does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function whereNow(home: string): Promise<{ url: string; pid: number } | null> {
  return readFile(join(home, 'run', 'agent.json'), 'utf8').then(
    (text) => JSON.parse(text) as { url: string; pid: number },
    () => null,
  );
}

describe('castellan start', { concurrency: 2 }, () => {
  it('brings an agent that was killed back, with what it knew, and stops with it when asked', async () => {
    await using home = await folder();
    await using first = await startAgent({ home: home.path, launcher: true });
    await first.client.call(createWorkflow, { definition: { name: 'kept', steps: [{ id: 'rest', wait: { forMs: 1 } }] } });
    process.kill(first.pid, 'SIGKILL');
    const second = (await eventually(
      () => whereNow(home.path),
      (it) => it !== null && it.pid !== first.pid,
    ))!;
    assert.equal((await clientFor(second.url, first.token).call(getWorkflow, { id: 'kept' })).name, 'kept');
    assert.match(first.log(), /was killed by SIGKILL; starting it again/);
    assert.match(await readFile(join(home.path, 'logs', 'last-crash.log'), 'utf8'), /was killed by SIGKILL/);

    assert.equal(await first.stop(), 0);
    assert.ok(!isAlive(second.pid));
    assert.equal(await whereNow(home.path), null);
    assert.equal(
      await fetch(second.url).then(
        () => 'answers',
        () => 'silent',
      ),
      'silent',
    );
  });

  it('leaves no agent behind when it is killed itself', async () => {
    await using home = await folder();
    await using agent = await startAgent({ home: home.path, launcher: true });
    agent.child.kill('SIGKILL');
    await eventually(
      async () => isAlive(agent.pid),
      (alive) => !alive,
    );
    await using next = await startAgent({ home: home.path });
    assert.equal(await next.stop(), 0);
  });

  it('gives up on an agent that dies at every start, and says why and where to look', async () => {
    await using home = await folder();
    const crash = join(home.path, 'crash.mjs');
    const token = `ghp_${'aB3dE5gH7jK9mN2pQ4rS6tV8wX1yZ0cF4hJ2'}`;
    await writeFile(
      crash,
      `if (process.argv[1]?.endsWith('main.ts')) setTimeout(() => { throw new Error('planted by a test with ${token}'); }, 5);`,
    );
    await using launched = launch({ home: home.path, launcher: true, env: { NODE_OPTIONS: `--import=${crash}` } });
    assert.equal((await launched.ended).code, 70);
    const last = launched.log().slice(launched.log().indexOf('castellan: the agent crashed'));
    assert.match(last, /crashed 5 times within 120 s and is not started again.*planted by a test.*last-crash\.log and .*castellan\.log/s);
    const kept = await readFile(join(home.path, 'logs', 'last-crash.log'), 'utf8');
    assert.match(kept, /planted by a test with \[redacted:github-pat\]/);
    assert.ok(!(kept + last).includes(token));
  });

  it('does not start again what no restart mends', async () => {
    await using home = await folder();
    await using launched = launch({ home: home.path, launcher: true, env: { CASTELLAN_PROT: '1' } });
    assert.equal((await launched.ended).code, 78);
    assert.equal(launched.log().split('did you mean').length, 2, launched.log());
  });
});
