import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const LIBRARIES = ['kysely', 'zod'];

/**
 * Two short cuts for what is imported from now on, which together halve the time to load the program:
 * - our own modules are found by their name alone, without asking the disk (a missing one fails when it is read);
 * - a library that comes as hundreds of small files is read from the one file that `npm run build` made of it, when there
 *   is one of the very version installed.
 * Nothing else changes: without the hooks everything loads as Node finds it.
 */
export function startFast(root: string): void {
  const base = pathToFileURL(`${root}/`).href;
  const own = `${base}src/`;
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Readonly<Record<string, string>> };
  const bundled = new Map(LIBRARIES.flatMap((name) => bundleOf(root, name)));

  /** Where a module of ours is, from how another of ours names it; null leaves it to Node. */
  function ownModule(specifier: string, parent: string): string | null {
    if (specifier.startsWith('.')) return specifier.endsWith('.ts') ? new URL(specifier, parent).href : null;
    if (specifier.startsWith('#core/')) return `${own}core/${specifier.slice('#core/'.length)}.ts`;
    const target = specifier.startsWith('#') ? imports[specifier] : undefined;
    return target === undefined ? null : new URL(target, base).href;
  }

  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      const library = bundled.get(specifier);
      if (library !== undefined) return { url: library, format: 'module', shortCircuit: true };
      const url = parentURL?.startsWith(own) ? ownModule(specifier, parentURL) : null;
      return url === null ? next(specifier, context) : { url, format: 'module-typescript', shortCircuit: true };
    },
  });
}

function bundleOf(root: string, name: string): (readonly [string, string])[] {
  try {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string };
    const path = join(root, 'dist', 'vendor', `${name}-${version}.js`);
    return existsSync(path) ? [[name, pathToFileURL(path).href]] : [];
  } catch {
    return []; // hoisted elsewhere: the library itself is used
  }
}
