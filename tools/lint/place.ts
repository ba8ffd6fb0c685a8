import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The folder of the package; the rules speak of paths below it. */
const ROOT = join(import.meta.dirname, '..', '..');

/** Where a file stands in the rings; the names are those of ARCHITECTURE.md. */
export interface Place {
  /** `app` wires everything; `free` is test/, bench/ and tools/; `outside` is no file of this package. */
  readonly ring: 'core' | 'domain' | 'edge' | 'app' | 'launcher' | 'sdk' | 'free' | 'outside';
  /** The module of the domain, or the edge. */
  readonly part: string;
  /** The adapter of the module, or empty. An adapter is a folder with a front door (`index.ts`) of its own. */
  readonly adapter: string;
  /** Below the package, with forward slashes. */
  readonly path: string;
  /** A test, or what only tests import: testing.ts, testbed.ts, conformance.ts, fake*, fixtures/. */
  readonly forTests: boolean;
}

const FOR_TESTS =
  /\.test\.tsx?$|(^|\/)(testing|testbed|conformance|[a-z-]+\.conformance|fake|fake-[a-z-]+)\.ts$|\/(fake|fakes|fixtures|testing)\//;
const APP = /^src\/(app|agent|main|castellan)\.ts$|^src\/app\//;

/** Reads the place of a file from its absolute name. */
export function placeOf(file: string): Place {
  const path = relative(ROOT, file).split(sep).join('/');
  const [top = '', ring = '', part = '', adapter = ''] = path.split('/');
  const place = { part: '', adapter: '', path, forTests: FOR_TESTS.test(path) };
  if (path.startsWith('..')) return { ...place, ring: 'outside' };
  if (top !== 'src') return { ...place, ring: 'free' };
  if (ring === 'core') return { ...place, ring };
  if (ring === 'edge') return { ...place, ring, part };
  if (ring === 'domain') {
    const isAdapter = existsSync(join(ROOT, 'src', 'domain', part, adapter, 'index.ts'));
    return { ...place, ring, part, adapter: isAdapter ? adapter : '' };
  }
  if (ring === 'skill') return { ...place, ring: 'sdk' };
  return { ...place, ring: APP.test(path) ? 'app' : 'launcher' };
}
