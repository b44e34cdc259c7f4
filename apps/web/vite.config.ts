import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * Leaves out zod's writers of JSON Schema: the page only checks with its schemas. Every schema refers to them, so
 * that no bundler can tell that they are never called.
 */
const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  load(id) {
    if (!/\/zod\/v4\/core\/(json-schema-processors|to-json-schema)\.js$/.test(id)) return null;
    const names = readFileSync(id, 'utf8').matchAll(/^export (?:const|function|class) (\w+)/gm);
    return [
      'const leftOut = () => leftOut;',
      ...[...names].map(([, name]) => `export const ${name} = leftOut;`),
    ].join('\n');
  },
};

/** The page, built by `scripts/page.mjs` and served by the Maestro server from `dist`, under a policy that allows no inline script or style. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), withoutJsonSchema],
  build: {
    target: ['chrome90', 'firefox88', 'safari14'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
