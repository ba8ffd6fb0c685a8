import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pagePolicy } from './headers.ts';

/** What the web build is made of. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** An answer made of a file. */
export interface Page {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export interface PageQuery {
  /** Path of the URL, decoded. */
  readonly path: string;
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string | undefined;
}

/** The web interface as files. */
export interface Pages {
  /** A file of the build, or null. Only what a listing of the folder named can be asked for: no path leads out of it. */
  file(query: PageQuery): Promise<Page | null>;
  /** The page that every address of the interface shares, with a nonce in its scripts and its policy. */
  index(nonce: string): Promise<Page>;
}

export function createPages(dir: string): Pages {
  let listed: { readonly at: number; readonly names: ReadonlySet<string> } | null = null;

  /** Names below the folder, read anew after every build; null without one. */
  async function listing(): Promise<ReadonlySet<string> | null> {
    const at = await stat(join(dir, 'index.html')).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (at === null) return (listed = null);
    if (listed?.at === at) return listed.names;
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'));
    listed = { at, names: new Set(names.filter((name) => !/(^|\/)\./.test(name))) };
    return listed.names;
  }

  async function file({ path, acceptEncoding, ifNoneMatch }: PageQuery): Promise<Page | null> {
    const name = path.slice(1);
    const names = await listing();
    const type = TYPES[extname(name)];
    if (!names?.has(name) || name === 'index.html' || type === undefined) return null;
    const [encoding, ending] = ENCODINGS.find(([token, end]) => acceptEncoding.includes(token) && names.has(name + end)) ?? [];
    const body = await readFile(join(dir, name + (ending ?? '')));
    const isHashed = name.startsWith('assets/');
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const headers = {
      'content-type': type,
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag,
      vary: 'accept-encoding',
      ...(encoding && { 'content-encoding': encoding }),
    };
    return ifNoneMatch === etag ? { status: 304, headers, body: '' } : { status: 200, headers, body };
  }

  async function index(nonce: string): Promise<Page> {
    const html = await readFile(join(dir, 'index.html'), 'utf8').catch(() => NOT_BUILT);
    const headers = { 'content-type': TYPES['.html']!, 'cache-control': 'no-cache', 'content-security-policy': pagePolicy(nonce) };
    return { status: 200, headers, body: withNonce(html, nonce) };
  }

  return { file, index };
}

/** Fills the place that the build left for the nonce, and marks every script and style that has none. */
function withNonce(html: string, nonce: string): string {
  return html.replaceAll('__CSP_NONCE__', nonce).replaceAll(/<(script|style)(?=[\s>])(?![^>]*\snonce=)/gi, `<$1 nonce="${nonce}"`);
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Castellan</title><style>body{font:16px/1.5 system-ui;margin:4rem auto;max-width:36rem;padding:0 1rem}</style></head>
<body>
<h1>Castellan is running</h1>
<p>Its web interface has not been built yet. Build it once, then reload this page:</p>
<pre>npm run build</pre>
<p>Everything else works without it: the command line (<code>npx castellan --help</code>) and the API (<code>/api/openapi.json</code>).</p>
</body>
</html>
`;
