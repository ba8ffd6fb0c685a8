// npm run build: the libraries of the start path, each in one file: a start reads three files instead of three hundred.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist', 'vendor');
/** Pure ES modules made of many small files. */
const LIBRARIES = ['kysely', 'zod'];

const { rolldown } = await import('rolldown').catch(() => ({ rolldown: null }));
if (rolldown) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const name of LIBRARIES) {
    const { version } = JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string };
    const bundle = await rolldown({ input: fileURLToPath(import.meta.resolve(name)), platform: 'node', logLevel: 'silent' });
    await bundle.write({
      file: join(out, `${name}-${version}.js`),
      format: 'esm',
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    });
    await bundle.close();
  }
}
