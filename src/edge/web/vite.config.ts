import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Static files below `dist/web`; the server fills the nonce into each copy of index.html it gives out. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwind()],
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
      output: {
        codeSplitting: {
          // What a release of ours does not change stays in the browser's cache.
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'libraries', test: /node_modules\/(@tanstack|zod)\// },
          ],
        },
      },
    },
  },
});
