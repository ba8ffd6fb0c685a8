import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppError } from '#core/errors';
import { setupSandbox, wallsHere, type SandboxTest } from './testbed.ts';

const hostile = await readFile(new URL('./fixtures/attacks.ts', import.meta.url), 'utf8');

/** What a way out may still answer behind a wall, because it says nothing of this machine. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  'environment by node': /^ALLOWED (0|undefined)$/,
};

/** What an open deno has in a sandbox of its own: the few variables we set, and a scratch that is gone with it. */
const OF_ITS_OWN: Readonly<Record<string, RegExp>> = {
  'environment by node': /^ALLOWED \d+$/,
  'write a temporary file': /^ALLOWED \/tmp\//,
  'ask for permission': /true$/,
  'ask for permission to run': /true$/,
};

const WORKERS = ['a worker that reads', 'a worker that connects', 'a worker by node'];

for (const walls of await wallsHere()) {
  describe(`hostile skills behind ${walls}`, { concurrency: 1 }, () => {
    it('find no way out', async () => {
      await using t = await setupSandbox(walls);
      const secret = join(t.folder, 'secret');
      const outside = join(t.folder, 'outside.ts');
      for (const path of [secret, `${secret}.json`]) await writeFile(path, '"the secret"');
      await writeFile(outside, 'export default "outside"');
      await chmod(secret, 0o666);
      await using web = await listener(0);
      await using socket = await listener(join(t.folder, 'socket'));
      const signals: string[] = [];
      const onSignal = (): void => void signals.push('SIGUSR2');
      process.on('SIGUSR2', onSignal);
      process.env['CASTELLAN_TEST_PLANTED'] = 'planted';
      try {
        const input = { secret, outside, port: web.port, unix: join(t.folder, 'socket'), planted: 'CASTELLAN_TEST_PLANTED' };
        const { output } = await t.run(hostile, { files: { 'addon.node': 'x' }, input });
        const report = output as Record<string, string>;
        for (const only of WORKERS)
          report[only] = await t.run(hostile, { input: { ...input, only } }).then(
            (alone) => (alone.output as Record<string, string>)[only] ?? 'ALLOWED: it was not tried',
            (error: AppError) => `denied ${error.code}`,
          );
        const allowed = Object.entries(report).filter(([name, told]) => told.startsWith('ALLOWED') && !HARMLESS[name]?.test(told));
        assert.deepEqual(allowed, []);
        assert.ok(Object.keys(report).length >= 70, `${Object.keys(report).length} attempts`);
        assert.doesNotMatch(JSON.stringify(report), /the secret|planted/);
        assert.deepEqual([web.heard(), socket.heard(), signals], [0, 0, []]);
        assert.equal(await readFile(secret, 'utf8'), '"the secret"');
        assert.deepEqual((await readdir(t.folder)).toSorted(), [
          'outside.ts',
          'scratch',
          'secret',
          'secret.json',
          ...[1, 2, 3, 4].map((nth) => `skill-${nth}`),
          'socket',
        ]);
        assert.deepEqual((await readdir(join(t.folder, 'skill-1'))).toSorted(), ['addon.node', 'main.ts']);
      } finally {
        process.off('SIGUSR2', onSignal);
        delete process.env['CASTELLAN_TEST_PLANTED'];
      }
    });

    it('end themselves by trying', async () => {
      await using t = await setupSandbox(walls);
      const worker =
        "new Worker('data:text/javascript,Deno.readTextFileSync(`/etc/passwd`)', { type: 'module', deno: { permissions: { read: true } } }); await new Promise(() => {});";
      await fails(t, worker, 'skill.crashed');
      await fails(t, 'Deno.exit(0);', 'skill.crashed');
      await fails(
        t,
        "import('node:process').then(({ default: process }) => process.abort()); await new Promise(() => {});",
        'skill.crashed',
      );
    });

    it('loop without end, and end with their run', async () => {
      await using t = await setupSandbox(walls);
      const stop = new AbortController();
      const going = t.run('for (;;);', { world: { signal: stop.signal } });
      const ended = assert.rejects(going, { message: 'too late' });
      await sleep(300);
      const before = performance.now();
      await sleep(20);
      assert.ok(performance.now() - before < 2_000, 'the agent is not held up');
      stop.abort(new Error('too late'));
      await ended;
      assert.deepEqual([t.processes(), await t.left()], [[], []]);
    });

    it('loop without end, and end with their processor time even when nobody watches', { timeout: 60_000 }, async (test) => {
      await using t = await setupSandbox(walls, { cpuGraceS: 0 });
      if (!t.walls.limits) return test.skip('this system holds no limits of processor time');
      await fails(t, 'for (;;);', 'skill.cpu_limit', { timeoutMs: 1_000 });
    });

    it('fill the heap', { timeout: 60_000 }, async () => {
      await using t = await setupSandbox(walls);
      await fails(t, 'const all = []; for (;;) all.push(Array.from({ length: 1e5 }, () => Math.random()));', 'skill.out_of_memory', {
        memoryMb: 48,
      });
    });

    it('fill the memory beside the heap', { timeout: 60_000 }, async (test) => {
      await using t = await setupSandbox(walls);
      if (!t.walls.limits) return test.skip('this system holds no limits of memory');
      const told = await t
        .run(
          `const all = [];
         try { for (let i = 0; i < 1000; i += 1) { const block = new Uint8Array(8e6); block.fill(1); all.push(block); } } catch {}
         return all.length * 8;`,
          { manifest: { memoryMb: 64 } as never },
        )
        .then(
          ({ output }) => output as number,
          (error: AppError) => error.code,
        );
      assert.ok(told === 'skill.out_of_memory' || (told as number) < 1_000, `${told} MB`);
    });

    it('flood the wire', { timeout: 60_000 }, async () => {
      await using t = await setupSandbox(walls);
      const raw =
        'const send = (text) => { const bytes = new TextEncoder().encode(text); for (let at = 0; at < bytes.length; ) at += Deno.stdout.writeSync(bytes.subarray(at)); };';
      await fails(t, `${raw} for (;;) send('{"type":"log","level":"info","message":"x"}\\n');`, 'skill.flood');
      await fails(
        t,
        `${raw} for (let id = 1; ; id += 1) send(JSON.stringify({ type: 'call', id, method: 'note', params: { type: 'x' } }) + '\\n');`,
        'skill.flood',
      );
      await fails(t, `${raw} for (;;) send('x'.repeat(65536));`, 'skill.flood');
      await fails(t, 'for (;;) Deno.stderr.writeSync(new TextEncoder().encode("spam ".repeat(1000)));', 'skill.flood');
      await fails(t, "return 'x'.repeat(5 * 2 ** 20);", 'skill.flood');
      assert.ok(t.context.journal.length <= 100);
    });

    it('ask for more at once than is answered, and are read no faster', { timeout: 60_000 }, async () => {
      await using t = await setupSandbox(walls);
      let atOnce = 0;
      let most = 0;
      const { output } = await t.run(
        "const answers = await Promise.all(Array.from({ length: 300 }, (_, at) => context.fetch('https://example.com/' + at))); return answers.length;",
        {
          manifest: { grants: ['net:fetch'], hosts: ['example.com'] },
          world: {
            async fetch({ url }) {
              most = Math.max(most, (atOnce += 1));
              await sleep(1);
              atOnce -= 1;
              return { status: 200, url, headers: new Headers(), contentType: '', notModified: false, body: new Uint8Array() };
            },
          },
        },
      );
      assert.equal(output, 300);
      assert.ok(most < 300, `${most} at once`);
    });

    it('write to the wire themselves, and gain nothing', { timeout: 60_000 }, async () => {
      await using t = await setupSandbox(walls);
      const raw = (...lines: readonly string[]): string =>
        `for (const line of ${JSON.stringify(lines)}) Deno.stdout.writeSync(new TextEncoder().encode(line + '\\n')); await new Promise(() => {});`;
      await fails(t, raw('not json'), 'skill.broke_protocol');
      await fails(t, raw('{"type":"answer","id":1,"value":1}'), 'skill.broke_protocol');
      await fails(
        t,
        raw('{"type":"call","id":1,"method":"note","params":{"type":"a"}}', '{"type":"call","id":1,"method":"note","params":{"type":"b"}}'),
        'skill.broke_protocol',
      );
      await fails(t, raw('{"type":"call","id":-1,"method":"note","params":null}'), 'skill.broke_protocol');
      await fails(t, raw('{"type":"done","outcome":"on_success","output":{"__proto__":{"polluted":true}}}'), 'skill.broke_protocol');
      await fails(t, raw('{"type":"done","outcome":"on_success","output":{"a":[{"\\u005f_proto__":1}]}}'), 'skill.broke_protocol');
      await fails(
        t,
        raw(`{"type":"done","outcome":"on_success","output":${'['.repeat(5_000)}${']'.repeat(5_000)}}`),
        'skill.broke_protocol',
      );
      await fails(t, raw('{"type":"failed","error":{"kind":"limited","code":"llm.over_budget","message":"pay"}}'), 'skill.failed');
      for (const method of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
        await assert.rejects(
          t.run(
            `await context.${'note'}; ${raw(`{"type":"call","id":1,"method":"${method}","params":null}`).replace('await new Promise(() => {});', "await new Promise((r) => setTimeout(r, 200)); throw new SkillError('skill.unknown_call', 'x');")}`,
          ),
          { code: 'skill.unknown_call' },
        );
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
      const twice = await t.run(
        raw('{"type":"done","outcome":"on_success","output":1}', '{"type":"done","outcome":"on_success","output":2}'),
      );
      assert.equal(twice.output, 1);
    });

    it('reach no host that their manifest does not name', async () => {
      await using t = await setupSandbox(walls);
      const { output } = await t.run(
        `const told = {};
         for (const url of ['https://evil.example/', 'http://api.example.com/', 'https://api.example.com:8443/', 'https://example.com/', 'https://api.example.com.evil.example/',
           'https://evilexample.com/', 'https://user@api.example.com/', 'https://api.example.com@evil.example/', 'file:///etc/passwd', 'https://127.0.0.1/', 'http://[::1]/', 'https://api.example.com\\\\@evil.example/', 'gopher://api.example.com/'])
           told[url] = await context.fetch(url).then(() => 'ALLOWED', (error) => error.code);
         return told;`,
        {
          manifest: { grants: ['net:fetch'], hosts: ['*.example.com', '@config'] },
          world: { fetch: async ({ url }) => assert.fail(`asked for ${url}`) },
        },
      );
      const told = output as Record<string, string>;
      const { 'https://user@api.example.com/': withUser, 'https://api.example.com\\@evil.example/': backslash, ...others } = told;
      assert.deepEqual([...new Set(Object.values(others))], ['skill.host_not_declared']);
      // These two are addresses of the declared host in odd clothes: the guarded fetch judges them.
      assert.ok(withUser !== 'ALLOWED' && backslash !== 'ALLOWED');
    });
  });
}

describe('hostile skills behind bubblewrap alone', { concurrency: 1, skip: !(await wallsHere()).includes('bubblewrap and deno') }, () => {
  it('may do all that deno can, and find nothing of this machine', async () => {
    await using t = await setupSandbox('bubblewrap and deno', { openDeno: true });
    const secret = join(t.folder, 'secret');
    const outside = join(t.folder, 'outside.ts');
    for (const path of [secret, `${secret}.json`, outside]) await writeFile(path, '"the secret"');
    await using web = await listener(0);
    await using socket = await listener(join(t.folder, 'socket'));
    process.env['CASTELLAN_TEST_PLANTED'] = 'planted';
    try {
      const input = { secret, outside, port: web.port, unix: join(t.folder, 'socket'), planted: 'CASTELLAN_TEST_PLANTED' };
      const { output } = await t.run(hostile, { input });
      const report = output as Record<string, string>;
      assert.match(report['list the root'] ?? '', /^ALLOWED/, 'deno holds nothing back');
      const mustFail =
        /^(read|open a|look|watch|import|require|connect|fetch|ask|write|append|remove|rename|change a mode|make a|environment)/;
      const allowed = Object.entries(report).filter(
        ([name, told]) => mustFail.test(name) && told.startsWith('ALLOWED') && !OF_ITS_OWN[name]?.test(told),
      );
      assert.deepEqual(allowed, []);
      assert.doesNotMatch(JSON.stringify(report), /the secret|planted/);
      assert.deepEqual([web.heard(), socket.heard()], [0, 0]);
      assert.equal(await readFile(secret, 'utf8'), '"the secret"');
      assert.deepEqual((await readdir(join(t.folder, 'skill-1'))).toSorted(), ['main.ts']);
    } finally {
      delete process.env['CASTELLAN_TEST_PLANTED'];
    }
  });
});

async function fails(t: SandboxTest, main: string, code: string, manifest: Record<string, unknown> = {}): Promise<void> {
  await assert.rejects(t.run(main, { manifest: manifest as never }), (error: AppError) => {
    assert.equal(error.code, code, error.message);
    assert.equal(error.kind, 'unavailable', 'it counts against the skill');
    return true;
  });
  assert.deepEqual(t.processes(), []);
}

async function listener(at: number | string): Promise<AsyncDisposable & { readonly port: number; heard(): number }> {
  let heard = 0;
  const server = createServer((socket) => {
    heard += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(typeof at === 'number' ? { port: at, host: '127.0.0.1' } : { path: at }, resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    heard: () => heard,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
