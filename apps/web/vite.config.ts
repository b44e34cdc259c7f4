import { fileURLToPath } from 'node:url';
import { type Route, routes } from '@maestro/protocol';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * Leaves the schemas of the routes out, and with them the library that checks by them: the server checks what the page
 * sends, and the page believes what the server of its own version answers.
 */
const withoutSchemas: Plugin = {
  name: 'without-schemas',
  load(id) {
    if (!/\/packages\/protocol\/src\/routes\/index\.ts$/.test(id)) return null;
    const facts = Object.entries<Route>(routes).map(([name, { id, method, path, response }]) => [
      name,
      { id, method, path, ...(typeof response === 'string' && { response }) },
    ]);
    return `export const routes = ${JSON.stringify(Object.fromEntries(facts))};`;
  },
};

/** The page, built by `scripts/page.mjs` and served by the Maestro server from `dist`, under a policy that allows no inline script or style. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), withoutSchemas],
  build: {
    target: ['chrome90', 'firefox88', 'safari14'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
