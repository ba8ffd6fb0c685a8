// `npm run build`: the web interface from src/edge/web to dist/web, with a .br and a .gz beside each file worth it.
// `--if-missing` (after `npm ci`) builds only what is absent or stale, and does nothing where there are no tools to build with.
import { constants, brotliCompress, gzip } from 'node:zlib';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src', 'edge', 'web');
const OUTPUT = join(ROOT, 'dist', 'web');
/** Built here and then put in place at once: an agent that runs never serves half a build. */
const FRESH = `${OUTPUT}.new`;
const STALE = `${OUTPUT}.old`;

const COMPRESSED = new Set(['.js', '.css', '.svg', '.json', '.webmanifest']);
/** Below this a compressed answer saves no packet. */
const LEAST_BYTES = 1_024;
/** What opening any page may cost, gzip. What belongs to one page is loaded with that page. */
const SHELL_LIMIT_BYTES = 150_000;

const { values } = parseArgs({ options: { 'if-missing': { type: 'boolean', default: false } } });

const builder = await import('vite').catch((error: unknown) => {
  if (!values['if-missing']) throw error;
  return null; // a production install: its package brings dist/web along
});
if (builder && !(values['if-missing'] && (await isFresh()))) await build(builder);

async function build(vite: typeof import('vite')): Promise<void> {
  const start = performance.now();
  await vite.build({ configFile: join(SOURCE, 'vite.config.ts'), logLevel: 'warn', build: { outDir: FRESH } });
  const sizes = await compressAll();
  await putInPlace();
  const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;
  console.log(
    `Web interface built in ${((performance.now() - start) / 1_000).toFixed(1)} s: ${kilobytes(sizes.shell)} to open it, ${kilobytes(sizes.all)} in all (gzip)`,
  );
  if (sizes.shell > SHELL_LIMIT_BYTES && !values['if-missing']) {
    console.error(`The shell is over its limit of ${kilobytes(SHELL_LIMIT_BYTES)}: load with a page what only that page needs`);
    process.exitCode = 1;
  }
}

/** Whether the build is there and no source is newer than it. */
async function isFresh(): Promise<boolean> {
  const built = await stat(join(OUTPUT, 'index.html')).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
  if (built === null) return false;
  const modules = join(ROOT, 'src', 'domain');
  const contracts = (await readdir(modules, { recursive: true }))
    .filter((name) => /(^|[\\/])contract\.ts$/.test(name))
    .map((name) => join(modules, name));
  const own = (await readdir(SOURCE, { recursive: true })).map((name) => join(SOURCE, name));
  const times = await Promise.all(
    [...own, ...contracts, join(ROOT, 'package-lock.json')].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return times.every((time) => time <= built);
}

/** Writes `.br` and `.gz` files; tells the gzip size of what the first page needs, and of everything. */
async function compressAll(): Promise<{ shell: number; all: number }> {
  const index = await readFile(join(FRESH, 'index.html'), 'utf8');
  const names = (await readdir(FRESH, { recursive: true })).filter((name) => COMPRESSED.has(extname(name)) && !name.startsWith('.'));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(FRESH, name);
      const text = await readFile(path);
      if (text.length < LEAST_BYTES) return { name, bytes: text.length };
      const [small, smallest] = await Promise.all([
        promisify(gzip)(text, { level: 9 }),
        promisify(brotliCompress)(text, {
          params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
        }),
      ]);
      await Promise.all([writeFile(`${path}.gz`, small), writeFile(`${path}.br`, smallest)]);
      return { name, bytes: small.length };
    }),
  );
  const sum = (chosen: typeof files): number => chosen.reduce((total, { bytes }) => total + bytes, 0);
  return { shell: sum(files.filter(({ name }) => index.includes(name.replaceAll('\\', '/')))), all: sum(files) };
}

async function putInPlace(): Promise<void> {
  const now = new Date();
  await utimes(join(FRESH, 'index.html'), now, now);
  await rm(STALE, { recursive: true, force: true });
  await rename(OUTPUT, STALE).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(FRESH, OUTPUT);
  await rm(STALE, { recursive: true, force: true });
}
