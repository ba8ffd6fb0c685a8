import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { assertBindAllowed, bootExitCode, isLoopback, openSeeds, readConfig, type Config } from './config.ts';
import { memberOf } from './config/networks.ts';
import { AppError } from './errors.ts';

async function setup(
  file?: unknown,
): Promise<{ home: string; read: (env?: Record<string, string>, flags?: object) => Promise<Config> } & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), 'castellan-config-'));
  if (file !== undefined) await writeFile(join(home, 'castellan.json'), typeof file === 'string' ? file : JSON.stringify(file));
  return {
    home,
    read: (env = {}, flags = {}) => readConfig({ CASTELLAN_HOME: home, ...env }, flags),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  };
}

const refuses =
  (code: string, key: string) =>
  (error: unknown): boolean =>
    error instanceof AppError &&
    error.code === code &&
    error.details['key'] === key &&
    error.message.includes(key) &&
    bootExitCode(error) === 78;

describe('boot configuration', () => {
  it('needs nothing', async () => {
    await using t = await setup();
    const { host, port, ingressHost, ingressPort, databaseUrl, publicUrl, trustedProxies, seeds } = await t.read();
    assert.deepEqual([host, port, ingressHost, ingressPort], ['127.0.0.1', 4848, '127.0.0.1', 4849]);
    assert.deepEqual([databaseUrl, publicUrl, trustedProxies, seeds], [undefined, undefined, [], { secrets: {}, addresses: {} }]);
    assert.equal((await readConfig({})).home, join(homedir(), '.castellan'));
    assert.equal((await readConfig({ CASTELLAN_HOME: '~/x' })).home, join(homedir(), 'x'));
  });

  it('takes a flag before the environment before the file, and what is empty as not given', async () => {
    await using t = await setup({ $schema: 'x', port: 1, ingressPort: 2, host: 'localhost' });
    const { port, ingressPort, host } = await t.read({ CASTELLAN_PORT: '3', CASTELLAN_INGRESS_PORT: '4', CASTELLAN_HOST: '' }, { port: 5 });
    assert.deepEqual([port, ingressPort, host], [5, 4, 'localhost']);
  });

  it('stops at an unknown name and says which was meant', async () => {
    await using t = await setup({ prot: 1 });
    await assert.rejects(
      t.read({ CASTELLAN_PROT: '1' }),
      (error: AppError) => refuses('config.unknown_key', 'CASTELLAN_PROT')(error) && error.details['nearest'] === 'CASTELLAN_PORT',
    );
    await assert.rejects(
      t.read(),
      (error: AppError) => refuses('config.unknown_key', 'prot')(error) && error.details['nearest'] === 'port',
    );
  });

  it('lets the variables of tests and of others pass, and explains those of Kubernetes', async () => {
    await using t = await setup();
    await t.read({ CASTELLAN_TEST_DATABASE_URL: 'x', HOST: '0.0.0.0' });
    await assert.rejects(t.read({ CASTELLAN_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_HOST: '10.0.0.2' }), /enableServiceLinks/);
  });

  it('names the key of a bad value and never the value', async () => {
    await using t = await setup();
    const cases = {
      CASTELLAN_PORT: 'tcp://10.0.0.1:80',
      CASTELLAN_INGRESS_PORT: '65536',
      CASTELLAN_HOST: 'a b',
      CASTELLAN_PUBLIC_URL: 'ftp://hunter2',
      DATABASE_URL: 'mysql://u:hunter2@h/d',
      TZ: 'Mars/Olympus',
      CASTELLAN_MASTER_KEY_FILE: 'relative',
      CASTELLAN_TRUSTED_PROXY: 'everyone',
      CASTELLAN_LOG_LEVEL: 'loud',
      ANTHROPIC_BASE_URL: 'api.hunter2',
      OLLAMA_HOST: 'http://[',
    };
    for (const [key, value] of Object.entries(cases)) {
      await assert.rejects(
        t.read({ [key]: value }),
        (error: AppError) => refuses('config.invalid', key)(error) && !inspect(error, { depth: 9 }).includes('hunter2'),
        key,
      );
    }
  });

  it('refuses half of TLS, two master keys, and a master key in the file', async () => {
    await using t = await setup();
    await assert.rejects(t.read({ CASTELLAN_TLS_CERT: '/c' }), refuses('config.invalid', 'CASTELLAN_TLS_KEY'));
    await assert.rejects(t.read({ CASTELLAN_TLS_KEY: '/k' }), refuses('config.invalid', 'CASTELLAN_TLS_CERT'));
    await assert.rejects(
      t.read({ CASTELLAN_TLS: 'off', CASTELLAN_TLS_CERT: '/c', CASTELLAN_TLS_KEY: '/k' }),
      refuses('config.invalid', 'CASTELLAN_TLS'),
    );
    await assert.rejects(t.read({ CASTELLAN_TLS_CLIENTS: 'certified' }), refuses('config.invalid', 'CASTELLAN_TLS_CLIENTS'));
    await assert.rejects(
      t.read({ CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENT_CA: '/ca' }),
      refuses('config.invalid', 'CASTELLAN_TLS_CLIENT_CA'),
    );
    await assert.rejects(
      t.read({ CASTELLAN_MASTER_KEY: 'k', CASTELLAN_MASTER_KEY_FILE: '/k' }),
      refuses('config.invalid', 'CASTELLAN_MASTER_KEY'),
    );
    await using withKey = await setup({ masterKey: 'k' });
    await assert.rejects(withKey.read(), refuses('config.unknown_key', 'masterKey'));
  });

  it('finds certificates of its own in the home, and those of the owner where they say', async () => {
    await using t = await setup();
    const inHome = (name: string): string => join(t.home, 'tls', name);
    assert.equal((await t.read()).tls, undefined);
    assert.deepEqual((await t.read({ CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENTS: 'certified' })).tls, {
      certFile: inHome('server.crt'),
      keyFile: inHome('server.key'),
      isMade: true,
      clientCaFile: inHome('ca.crt'),
      isOwnClientCa: true,
    });
    const own = { CASTELLAN_TLS_CERT: '/c', CASTELLAN_TLS_KEY: '/k' };
    assert.deepEqual((await t.read(own)).tls, { certFile: '/c', keyFile: '/k', isMade: false, isOwnClientCa: false });
    const foreign = await t.read({ ...own, CASTELLAN_TLS_CLIENTS: 'certified', CASTELLAN_TLS_CLIENT_CA: '/ca' });
    assert.deepEqual([foreign.tls?.clientCaFile, foreign.tls?.isOwnClientCa], ['/ca', false]);
  });

  it('reads names and networks, and trusts neither everybody nor half an address', async () => {
    await using t = await setup();
    const { hostNames, trustedProxies } = await t.read({
      CASTELLAN_HOST_NAMES: 'Castle.example, box',
      CASTELLAN_TRUSTED_PROXY: 'loopback, 10.0.0.0/8,fd00::1',
    });
    assert.deepEqual(
      [hostNames, trustedProxies],
      [
        ['castle.example', 'box'],
        ['loopback', '10.0.0.0/8', 'fd00::1'],
      ],
    );
    for (const value of ['0.0.0.0/0', '::/0', '10.0.0', '10.0.0.0/33', '10.0.0.0/8/8', 'proxy.lan', '*'])
      await assert.rejects(t.read({ CASTELLAN_TRUSTED_PROXY: value }), refuses('config.invalid', 'CASTELLAN_TRUSTED_PROXY'), value);
    for (const value of ['*', '*.example', 'a b', 'http://x', 'x:1', '-x'])
      await assert.rejects(t.read({ CASTELLAN_HOST_NAMES: value }), refuses('config.invalid', 'CASTELLAN_HOST_NAMES'), value);
    await assert.rejects(
      t.read({ CASTELLAN_PORT: '80', CASTELLAN_INGRESS_PORT: '80' }),
      refuses('config.invalid', 'CASTELLAN_INGRESS_PORT'),
    );
    const isProxy = memberOf(trustedProxies);
    assert.deepEqual(['127.0.0.1', '::1', '::ffff:10.1.2.3', 'fd00::1', '11.0.0.1', 'fd00::2', '', undefined].map(isProxy), [
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('does not repeat the text of a file it cannot read', async () => {
    await using t = await setup('{ "databaseUrl": "postgres://u:hunter2@h/d"');
    await assert.rejects(
      t.read(),
      (error: AppError) => error.code === 'config.unreadable' && !inspect(error, { depth: 9 }).includes('hunter2'),
    );
  });

  it('reads POSIX forms of a time zone', async () => {
    await using t = await setup();
    assert.equal((await t.read({ TZ: ':Europe/Vienna' })).timeZone, 'Europe/Vienna');
    assert.equal((await t.read({ TZ: ':/usr/share/zoneinfo/Asia/Tokyo' })).timeZone, 'Asia/Tokyo');
  });

  it('gathers the seeds, keys as secrets that print as nothing', async () => {
    await using t = await setup();
    const { seeds, databaseUrl } = await t.read({
      GOOGLE_API_KEY: 'second',
      GEMINI_API_KEY: 'hunter2',
      SMTP_URL: 'smtp://u:hunter2@h',
      OLLAMA_HOST: '0.0.0.0',
      LMSTUDIO_HOST: 'box:99',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1/',
      DATABASE_URL: 'postgres://u:hunter2@h/d',
      TELEGRAM_BOT_TOKEN: '',
    });
    assert.deepEqual(Object.keys(seeds.secrets), ['GEMINI_API_KEY', 'SMTP_URL']);
    assert.deepEqual(seeds.addresses, {
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      OLLAMA_HOST: 'http://127.0.0.1:11434',
      LMSTUDIO_HOST: 'http://box:99',
    });
    assert.equal(openSeeds(seeds)['GEMINI_API_KEY'], 'hunter2');
    for (const shown of [JSON.stringify({ seeds, databaseUrl }), inspect({ seeds, databaseUrl }, { depth: 9 })])
      assert.ok(!shown.includes('hunter2'), shown);
  });

  it('listens beyond loopback only with a password and encryption', () => {
    const refused = { code: 'config.bind_refused' };
    const tls = { certFile: '/c', keyFile: '/k', isMade: false, isOwnClientCa: false };
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost'])
      assertBindAllowed({ host, trustedProxies: [] }, { hasPassword: false });
    for (const host of ['0.0.0.0', '::', '192.168.1.2', '127.evil.example', 'box.lan', '1270.0.0.1']) {
      assert.throws(() => assertBindAllowed({ host, trustedProxies: [] }, { hasPassword: true }), refused);
      assert.throws(() => assertBindAllowed({ host, tls, trustedProxies: [] }, { hasPassword: false }), refused);
      assertBindAllowed({ host, tls, trustedProxies: [] }, { hasPassword: true });
      assertBindAllowed({ host, trustedProxies: ['10.0.0.1'] }, { hasPassword: true });
    }
  });

  it('takes only 127.0.0.0/8 for loopback among the IPv4 addresses', () => {
    fc.assert(fc.property(fc.ipV4(), (ip) => isLoopback(ip) === (ip.split('.')[0] === '127')));
  });
});
