import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLineReader } from './line-process/line-reader.ts';
import { lineProcess, type LineProcessOptions, type ProcessEnd } from './line-process.ts';

/** Node with a program of one line. */
async function setup(program: string, over: Partial<LineProcessOptions> = {}) {
  const lines: string[] = [];
  const ended = Promise.withResolvers<ProcessEnd>();
  const exited = Promise.withResolvers<Error | null>();
  const service = lineProcess({
    name: 'child',
    command: process.execPath,
    args: ['-e', program],
    longestLineBytes: 1_000,
    mostStderrBytes: 10_000,
    mostUnreadBytes: 100_000,
    graceMs: 300,
    onLine: (line) => lines.push(line),
    onEnd: ended.resolve,
    ...over,
  });
  const running = await service.start({ signal: new AbortController().signal, exit: (cause) => exited.resolve(cause ?? null) });
  return { service, running, lines, ended: ended.promise, exited: exited.promise, [Symbol.asyncDispose]: () => running.stop() };
}

describe('a process that speaks lines', { concurrency: 1 }, () => {
  it('hears and answers, and its last words are kept', async () => {
    await using t = await setup(
      "process.stdin.once('data', (d) => { console.log('heard ' + JSON.parse(d).a); console.error('last words'); process.exitCode = 3; process.stdin.destroy(); })",
    );
    t.service.send({ a: 'ü' });
    assert.deepEqual(await t.ended, { code: 3, signal: null, said: ['last words'], cause: null });
    assert.deepEqual([t.lines, await t.exited], [['heard ü'], null]);
  });

  it('has an empty environment', async () => {
    await using t = await setup('console.log(Object.keys(process.env).length)');
    await t.ended;
    assert.deepEqual(t.lines, ['0']);
  });

  for (const [what, program, code] of [
    ['a line without end', "for (;;) require('node:fs').writeSync(1, 'x'.repeat(500))", 'process.line_too_long'],
    ['remarks without end', "for (;;) require('node:fs').writeSync(2, 'x'.repeat(500) + '\\n')", 'process.too_talkative'],
  ] as const) {
    it(`${what} ends it`, async () => {
      await using t = await setup(program);
      const { cause, signal } = await t.ended;
      assert.deepEqual([(cause as Error & { code: string }).code, signal], [code, 'SIGKILL']);
      assert.equal(((await t.exited) as Error & { code: string }).code, code);
    });
  }

  it('who does not read is ended, not waited for', async () => {
    await using t = await setup('setInterval(() => {}, 1000)');
    for (let i = 0; i < 20; i += 1) t.service.send('x'.repeat(20_000));
    assert.equal(((await t.ended).cause as Error & { code: string }).code, 'process.deaf');
  });

  it('what its hearer throws ends it', async () => {
    await using t = await setup("console.log('x'); setInterval(() => {}, 1000)", {
      onLine() {
        throw new Error('not that');
      },
    });
    assert.equal((await t.ended).cause?.message, 'not that');
  });

  it('a program that is not there is a failed start', async () => {
    await assert.rejects(setup('', { command: '/nowhere/program' }), { code: 'process.not_started' });
  });

  it('is gone when it was stopped, and what it started too', async (test) => {
    if (process.platform === 'win32') return test.skip('no process groups');
    await using t = await setup(
      "process.on('SIGTERM', () => {}); console.log(require('node:child_process').spawn('sleep', ['60']).pid); setInterval(() => {}, 1000)",
    );
    while (t.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await t.running.stop();
    const grandchild = Number(t.lines[0]);
    for (let i = 0; i < 100 && isAlive(grandchild); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(isAlive(grandchild), false);
  });
});

it('lines come out as they went in, however the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '))),
      fc.integer({ min: 1, max: 7 }),
      (texts, size) => {
        const read: string[] = [];
        const reader = createLineReader(10_000, (line) => read.push(line));
        const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
        for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size));
        assert.deepEqual(
          read,
          texts.map((text) => new TextDecoder().decode(new TextEncoder().encode(text))),
        );
      },
    ),
  );
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
