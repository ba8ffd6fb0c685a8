import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { manualClock } from './clock.ts';
import { AppError } from './errors.ts';
import { createLogging, type Logging, type LoggingOptions } from './log.ts';
import { isSecretKey } from './log/clean.ts';
import { createRotatingFile } from './log/file.ts';
import { secret } from './secret.ts';

function setup(
  options: Partial<LoggingOptions> = {},
): Logging & { lines: () => Record<string, unknown>[]; text: () => string } & AsyncDisposable {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const logging = createLogging({ level: 'debug', stream, pretty: false, clock: manualClock(1_000), ...options });
  const text = (): string => Buffer.concat(chunks).toString();
  const lines = (): Record<string, unknown>[] =>
    text()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...logging, text, lines, [Symbol.asyncDispose]: () => logging.close() };
}

async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'castellan-log-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('log', () => {
  it('writes a JSON line with time, level, component, message and fields', async () => {
    await using t = setup();
    t.log.child({ component: 'store' }).child({ runId: 'r1' }).warn('A disk is slow', { ms: 5 });
    assert.deepEqual(t.lines(), [
      { level: 'warn', time: '1970-01-01T00:00:01.000Z', component: 'store', runId: 'r1', ms: 5, message: 'A disk is slow' },
    ]);
  });

  it('drops what is below the level, for child logs too, from one moment to the next', async () => {
    await using t = setup();
    const child = t.log.child({ component: 'x' });
    child.trace('no');
    t.setLevel('error');
    child.warn('no');
    t.setLevel('trace');
    child.trace('yes');
    assert.deepEqual(
      t.lines().map(({ message }) => message),
      ['yes'],
    );
  });

  it('hides secrets by key, by shape, by type and by value, wherever they are', async () => {
    await using t = setup();
    t.setScan((text) => text.replaceAll('correct-horse', '[secret:battery]'));
    const log = t.log.child({ password: 'hunter2' });
    log.info('with correct-horse', {
      apiKey: 'hunter2',
      'x-api-key': 'hunter2',
      deep: [{ botToken: 'hunter2', list: new Map([['cookie', 'hunter2']]) }],
      url: 'https://u:hunter2@h/p?access_token=hunter2&x=1',
      header: 'Bearer hunter2hunter2',
      held: secret('hunter2'),
      error: new Error('about correct-horse', { cause: new AppError('invalid', 'a.b', 'm', { authorization: 'hunter2' }) }),
      'correct-horse': 1,
    });
    assert.ok(!/hunter2|correct-horse/.test(t.text()), t.text());
    assert.match(t.text(), /x=1/);
  });

  it('knows the keys of secrets from those that count tokens', () => {
    for (const key of ['token', 'botToken', 'API_KEY', 'clientSecret', 'Set-Cookie', 'privateKey', 'userPassword', 'apikey'])
      assert.ok(isSecretKey(key), key);
    for (const key of ['tokens', 'inputTokens', 'maxTokens', 'tokenCount', 'key', 'keyboard', 'monkey', 'secretary'])
      assert.ok(!isSecretKey(key), key);
  });

  it('gives a bug its stack and an AppError its code', async () => {
    await using t = setup();
    t.log.error('Failed', { error: new TypeError('x'), refused: new AppError('limited', 'a.full', 'Full', { limit: 2 }) });
    const [{ error, refused }] = t.lines() as [{ error: { stack: string }; refused: unknown }];
    assert.match(error.stack, /log\.test\.ts/);
    assert.deepEqual(refused, { type: 'AppError', code: 'a.full', message: 'Full', details: { limit: 2 } });
  });

  it('keeps the last entries and tells who listens, until they stop', async () => {
    await using t = setup({ keep: 3 });
    const heard: string[] = [];
    const stop = new AbortController();
    t.subscribe(({ message }) => heard.push(message), stop.signal);
    for (const n of [1, 2, 3, 4]) t.log.child({ component: n % 2 ? 'odd' : 'even' }).info(String(n));
    stop.abort();
    t.log.error('5');
    assert.deepEqual(heard, ['1', '2', '3', '4']);
    assert.deepEqual(
      t.recent().map(({ message }) => message),
      ['3', '4', '5'],
    );
    assert.deepEqual(
      t.recent({ level: 'error' }).map(({ message }) => message),
      ['5'],
    );
    assert.deepEqual(
      t.recent({ component: 'even', limit: 1 }).map(({ message }) => message),
      ['4'],
    );
  });

  it('never throws: not at any value, a broken stream, a failing listener or scan', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    await using t = setup({ stream, pretty: true });
    t.subscribe(() => {
      throw new Error('listener');
    }, new AbortController().signal);
    const circular: Record<string, unknown> = { n: 1n };
    circular['self'] = circular;
    t.log.info('circular', { circular, bytes: new Uint8Array(3), nothing: undefined, level: 'mine', message: 'mine' });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(t.recent()[0]?.message, 'circular');
    fc.assert(
      fc.property(fc.object({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }), (fields) =>
        t.log.info('any', fields),
      ),
    );
    t.setScan(() => {
      throw new Error('scan');
    });
    t.log.info('lost rather than written unscanned');
    assert.notEqual(t.recent().at(-1)?.message, 'lost rather than written unscanned');
  });

  it('cuts what is too long or too deep', async () => {
    await using t = setup();
    t.log.info('big', { text: 'x'.repeat(1e6), list: Array.from({ length: 1e4 }, () => 'y') });
    assert.ok(t.text().length < 10_000);
  });

  it('shows people lines that cannot take over their terminal', async () => {
    await using t = setup({ pretty: true });
    t.log.child({ component: 'http' }).error('Evil \u001b]0;title\u0007', { path: '/a b', error: new TypeError('no') });
    const plain = stripVTControlCharacters(t.text());
    assert.match(plain, /^\d\d:\d\d:\d\d error http Evil \?\]0;title\? path="\/a b" error=TypeError: no\n {4}TypeError: no\n {8}at /);
  });
});

describe('log file', () => {
  it('is for its owner alone, and rotates by size', async () => {
    await using dir = await folder();
    const path = join(dir.path, 'castellan.log');
    const file = createRotatingFile(path, { maxBytes: 100, files: 3 });
    const all = async (): Promise<string> => {
      const texts = (await readdir(dir.path)).map((name) => readFile(join(dir.path, name), 'utf8').catch(() => '')); // renamed meanwhile
      return (await Promise.all(texts)).join('');
    };
    for (let n = 0; n < 40; n += 1) {
      file.write(`line ${n} ${'x'.repeat(40)}\n`);
      while (!(await all()).includes(`line ${n} `)) await new Promise((resolve) => setTimeout(resolve, 1)); // what waits is written at once
    }
    await file.close();
    const names = (await readdir(dir.path)).toSorted();
    assert.ok(names.includes('castellan.log.1') && names.includes('castellan.log.2') && !names.includes('castellan.log.3'), String(names));
    assert.equal((await stat(`${path}.1`)).mode & 0o777, 0o600);
    const rest = await all();
    assert.match(rest, /line 39 /);
    assert.ok(Buffer.byteLength(rest) < 900);
  });

  it('goes on without the lines a full disk took, and says how many', { skip: process.platform !== 'linux' }, async () => {
    await using dir = await folder();
    const path = join(dir.path, 'castellan.log');
    await symlink('/dev/full', path);
    const file = createRotatingFile(path, { maxBytes: 1e6, files: 2, retryMs: 0 });
    file.write('lost\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    file.write('lost too\n');
    file.flush();
    await unlink(path);
    file.write('kept\n');
    await file.close();
    const [torn, ...lines] = (await readFile(path, 'utf8')).split('\n');
    assert.equal(torn, '', 'what a failed write may have left of a line is closed');
    assert.equal((JSON.parse(lines[0]!) as { lines: number }).lines, 2);
    assert.equal(lines[1], 'kept');
  });

  it('never throws where there is no folder', async () => {
    await using dir = await folder();
    const file = createRotatingFile(join(dir.path, 'no', 'castellan.log'));
    file.write('x\n');
    file.flush();
    file.write('y\n');
    await file.close();
  });
});
