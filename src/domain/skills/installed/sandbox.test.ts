import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AppError } from '#core/errors';
import { setupSandbox, wallsHere } from './testbed.ts';

const AGENT = fileURLToPath(new URL('./fixtures/agent.ts', import.meta.url));

for (const walls of await wallsHere()) {
  describe(`an installed skill behind ${walls}`, { concurrency: 1 }, () => {
    it('is given its input and configuration, and ends with an outcome', async () => {
      await using t = await setupSandbox(walls);
      const result = await t.run('return { input, config, zone: context.timeZone, step: context.stepPath, dryRun: context.dryRun };', {
        input: { a: 1 },
        config: { b: 'ü' },
      });
      assert.deepEqual(result, {
        outcome: 'on_success',
        output: { input: { a: 1 }, config: { b: 'ü' }, zone: 'Europe/Rome', step: 'step', dryRun: false },
      });
      assert.deepEqual([t.processes(), await t.left()], [[], []]);
    });

    it('may be made of several files, and imports nothing that is not its own', async () => {
      await using t = await setupSandbox(walls);
      const { output } = await t.run(
        "import { twice } from './lib/twice.ts';\nimport { skill } from '#skill';\nexport default skill({ run: () => ({ outcome: 'on_success', output: twice(21) }) });",
        {
          files: { 'lib/twice.ts': 'export const twice = (x: number): number => x * 2;' },
        },
      );
      assert.equal(output, 42);
    });

    it('reaches what it was granted through its context', async () => {
      await using t = await setupSandbox(walls);
      const { output } = await t.run(
        `const page = await context.fetch('https://api.example.com/a', { headers: { accept: 'application/json' } });
         const found = await context.memory.search('x');
         await context.memory.add({ kind: 'news_item', text: 'remember' });
         await context.notify('hello');
         await context.note('seen', { n: 1 });
         context.log.info('a line', { n: 1 });
         console.log('printed', { n: 2 });
         return { json: page.json(), status: page.status, ok: page.ok, text: await context.llm.complete('Say something'), found: found.length,
           known: [...(await context.memory.known(['a', 'b']))], language: await context.setting('owner.language'), rendered: await context.render('{{ input.a }}-{{ b }}', { b: 2 }) };`,
        {
          input: { a: 1 },
          manifest: {
            grants: ['net:fetch', 'llm:call', 'memory:read', 'memory:write', 'channel:send', 'settings:read'],
            hosts: ['*.example.com'],
            settings: ['owner.language'],
          },
          world: { web: { 'https://api.example.com/a': { contentType: 'application/json', body: '{"ä":[1,2]}' } }, known: ['b'] },
        },
      );
      assert.deepEqual(output, {
        json: { ä: [1, 2] },
        status: 200,
        ok: true,
        text: 'An answer.',
        found: 0,
        known: ['b'],
        language: 'en',
        rendered: '1-2',
      });
      assert.deepEqual(t.context.added, ['remember']);
      assert.deepEqual(
        t.context.sent.map(({ text }) => text),
        ['hello'],
      );
      assert.deepEqual(t.context.journal, [{ type: 'skill.probe.seen', data: { n: 1 } }]);
    });

    it('hears why it was refused, and can go on', async () => {
      await using t = await setupSandbox(walls);
      const { output } = await t.run(
        `const codes = [];
         for (const attempt of [
           () => context.fetch('https://example.com/'),
           () => context.llm.complete(''),
           () => context.memory.search('x', { limit: 9999 }),
         ]) await attempt().catch((error) => codes.push([error instanceof SkillError, error.code]));
         return codes;`,
        { manifest: { grants: ['llm:call', 'memory:read'] } },
      );
      assert.deepEqual(output, [
        [true, 'skill.not_granted'],
        [true, 'skill.bad_call'],
        [true, 'skill.bad_call'],
      ]);
    });

    it('fails with its own words, and with what it was refused', async () => {
      await using t = await setupSandbox(walls);
      await assert.rejects(t.run("throw new TypeError('a bug');"), (error: AppError) => {
        assert.equal(error.code, 'skill.failed');
        assert.match(error.message, /TypeError: a bug \(.*main\.ts:\d+\)/);
        return true;
      });
      await assert.rejects(t.run("await context.fetch('https://example.com/');"), { code: 'skill.not_granted' });
      await assert.rejects(
        t.run("throw new SkillError('llm.over_budget', 'give me more', {}, 'limited');"),
        (error: AppError) => error.code === 'skill.failed' && error.kind === 'unavailable',
      );
      await assert.rejects(t.run('export default 1;'), { code: 'skill.failed' });
      await assert.rejects(t.run('export default {{;'), { code: 'skill.failed' });
    });

    it('is not over before what it did is', async () => {
      await using t = await setupSandbox(walls);
      await t.run(
        "void context.effect({ name: 'a', method: 'POST', url: 'https://example.com/', body: { a: 1 } }); void context.notify('said');",
        {
          manifest: { grants: ['net:post', 'channel:send'], hosts: ['example.com'] },
          world: { web: { 'https://example.com/': { body: 'made' } } },
        },
      );
      assert.deepEqual(t.context.performed, ['a', 'message']);
      assert.deepEqual(
        t.context.sent.map(({ text }) => text),
        ['said'],
      );
      const [request] = t.context.requests;
      assert.deepEqual([request!.method, request!.body, request!.headers!['idempotency-key']], ['POST', '{"a":1}', 'a']);
    });

    it('is gone when the agent was killed', { timeout: 30_000 }, async () => {
      // Without bubblewrap a loop goes on to the end of its processor time; whatever waits ends with the pipe.
      const body = walls === 'deno alone' ? 'await new Promise(() => {});' : 'for (;;);';
      const agent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', AGENT, walls, body], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [told] = (await once(agent.stdout.setEncoding('utf8'), 'data')) as [string];
      const [folder = '', pid = ''] = told.trim().split(' ');
      try {
        assert.ok(isAlive(Number(pid)));
        agent.kill('SIGKILL');
        await once(agent, 'exit');
        for (let i = 0; i < 500 && isAlive(Number(pid)); i += 1) await sleep(20);
        assert.equal(isAlive(Number(pid)), false);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('ends at once when its run does', async () => {
      await using t = await setupSandbox(walls);
      const stop = new AbortController();
      const going = t.run('await new Promise((resolve) => setTimeout(resolve, 60_000));', { world: { signal: stop.signal } });
      const ended = assert.rejects(going, { message: 'cancelled by the owner' });
      setTimeout(() => stop.abort(new Error('cancelled by the owner')), 100);
      await ended;
      assert.deepEqual([t.processes(), await t.left()], [[], []]);
    });
  });
}

/** Whether a process runs; one that is dead but not yet buried by its parent does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
