import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Route, routes } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { openApiDocument, openApiText } from '../../apps/server/src/http/openapi.ts';
import { startServer } from './support/server.ts';

describe('docs/openapi.json', () => {
  it('is what the routes say; if not: node apps/server/src/http/emit-openapi.ts', () => {
    const checkedIn = readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8');
    expect(checkedIn === openApiText(), 'docs/openapi.json is current').toBe(true);
  });
  it('has every route, and no reference that leads nowhere', () => {
    const document = openApiDocument();
    const text = JSON.stringify(document);
    for (const route of Object.values<Route>(routes)) expect(text).toContain(`"operationId":"${route.id}"`);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(20);
    for (const name of new Set(references))
      expect(document).toHaveProperty(['components', 'schemas', String(name)]);
  });
  it('is served', async () => {
    const server = await startServer();
    const served = await (await server.call('GET', '/api/v1/openapi.json')).json();
    expect(served).toEqual(JSON.parse(openApiText()));
    await server.close();
  });
});
