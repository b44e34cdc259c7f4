import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiText } from './openapi.ts';

// Writes docs/openapi.json from the route contract. Run: node apps/server/src/http/emit-openapi.ts
const path = join(import.meta.dirname, '../../../../docs/openapi.json');
writeFileSync(path, openApiText());
process.stdout.write(`Wrote ${path}\n`);
