import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Static files below `dist/web`; the server fills the nonce into each copy of index.html it gives out. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwind(), withoutJsonSchema()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../../../dist/web',
    emptyOutDir: true,
    manifest: true,
    target: 'es2023',
    // A file as a data: address would be refused by the policy of the page (fonts, scripts), so every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      // Nothing of ours happens on import (house/nothing-on-import), so a page takes only the endpoints it names, not their whole contract.
      treeshake: { moduleSideEffects: [{ test: /src\/(core|domain)\//, sideEffects: false }] },
      output: {
        codeSplitting: {
          // What a release of ours does not change stays in the browser's cache.
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'libraries', test: /node_modules\/(@tanstack|zod)\/(?!.*infinite)/i },
          ],
        },
      },
    },
  },
});

/** zod can write every schema as JSON Schema, which no page asks for, and no bundler can see that: 6 kB gzip of the shell. */
function withoutJsonSchema(): Plugin {
  return {
    name: 'without-json-schema',
    enforce: 'pre',
    transform: {
      filter: { id: /\/zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ },
      handler(code) {
        const names = [...code.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name);
        const none = "const none = () => () => { throw new Error('No JSON Schema in the browser: see vite.config.ts'); };";
        return {
          code: [none, ...names.map((name) => `export const ${name} = none;`), 'export { none as process };'].join('\n'),
          map: null,
        };
      },
    },
  };
}
