import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { call, serve } from './testing.ts';

const INDEX = `<!doctype html><html><head><meta property="csp-nonce" nonce="__CSP_NONCE__"><script>let early = 1</script>
<script type="module" crossorigin nonce="__CSP_NONCE__" src="/assets/app-1.js"></script><style>p{}</style></head><body></body></html>`;
const SCRIPT = 'export const app = 1;'.repeat(100);

async function setup() {
  const dir = await mkdtemp(join(tmpdir(), 'castellan-pages-'));
  const root = join(dir, 'web');
  const write = async (name: string, content: string | Buffer): Promise<void> => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  };
  await write('assets/app-1.js', SCRIPT);
  await write('assets/app-1.js.gz', gzipSync(SCRIPT));
  await write('favicon.svg', '<svg/>');
  await write('.env', 'KEY=hunter2');
  await write('.vite/manifest.json', '"hunter2"');
  await write('index.html', INDEX);
  await writeFile(join(dir, 'secret.txt'), 'hunter2');
  const server = await serve([], { staticDir: root });
  return {
    ...server,
    write,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(dir, { recursive: true });
    },
  };
}

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the web interface', () => {
  it('is one page at every address a person may open, under a policy with a nonce of its own', async () => {
    await using t = await setup();
    const nonces = new Set<string>();
    for (const path of ['/', '/runs/42', '/index.html', '/?next=%2Fruns']) {
      const { status, headers, text } = await call(t.url + path, { headers: html });
      assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, 'text/html; charset=utf-8', 'no-cache']);
      const policy = String(headers['content-security-policy']);
      const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(policy)![1]!;
      assert.ok(Buffer.from(nonce, 'base64').length >= 16);
      nonces.add(nonce);
      assert.ok(policy.startsWith("default-src 'none'; ") && policy.includes("frame-ancestors 'none'") && !policy.includes('unsafe'));
      assert.equal(text.split(`nonce="${nonce}"`).length - 1, 4);
      assert.equal(text.includes('__CSP_NONCE__'), false);
    }
    assert.equal(nonces.size, 4);
  });

  it('has files: hashed ones for good, others asked for again, compressed where that is at hand', async () => {
    await using t = await setup();
    const plain = await call(`${t.url}/assets/app-1.js`);
    assert.deepEqual(
      [plain.text, plain.headers['content-type'], plain.headers['cache-control']],
      [SCRIPT, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    );
    const packed = await fetch(`${t.url}/assets/app-1.js`, { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([packed.headers.get('content-encoding'), await packed.text()], ['gzip', SCRIPT]);
    assert.equal(gunzipSync(gzipSync(SCRIPT)).toString(), SCRIPT);
    const icon = await call(`${t.url}/favicon.svg`);
    assert.equal(icon.headers['cache-control'], 'no-cache');
    const again = await call(`${t.url}/favicon.svg`, { headers: { 'if-none-match': icon.headers.etag! } });
    assert.deepEqual([again.status, again.text], [304, '']);
    const head = await call(`${t.url}/favicon.svg`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
  });

  it('has nothing outside of its folder, nothing hidden, no listing', async () => {
    await using t = await setup();
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '//etc/passwd',
      '/.env',
      '/.vite/manifest.json',
      '/assets/',
      '/assets',
      '/favicon.svg/',
      '/favicon.svg%00.js',
      '/..\\secret.txt',
      '/assets/missing.js',
    ]) {
      const { status, text } = await call(t.url + path);
      assert.deepEqual([path, status, text.includes('hunter2')], [path, 404, false]);
    }
  });

  it('is no answer to a program', async () => {
    await using t = await setup();
    for (const path of ['/api/unknown', '/v1/unknown', '/mcp/x', '/api'])
      assert.equal((await call(t.url + path, { headers: html })).json.error.code, 'http.not_found');
    assert.equal((await call(`${t.url}/runs/42`, { headers: { accept: 'application/json' } })).status, 404);
    assert.equal((await call(`${t.url}/runs/42`, { method: 'POST', headers: html })).status, 404);
  });

  it('is read anew after a build', async () => {
    await using t = await setup();
    assert.equal((await call(`${t.url}/assets/app-2.js`)).status, 404);
    await t.write('assets/app-2.js', 'two');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await t.write('index.html', INDEX);
    assert.equal((await call(`${t.url}/assets/app-2.js`)).text, 'two');
  });

  it('says how to build it when it is not there', async () => {
    await using t = await serve([]);
    const { status, text, headers } = await call(t.url, { headers: html });
    assert.deepEqual([status, /npm run build/.test(text)], [200, true]);
    assert.match(
      text,
      new RegExp(`<style nonce="${/nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1]!.replaceAll(/[+/]/g, '\\$&')}"`),
    );
  });
});
