/** Writes `src/migrations.generated.ts` from `migrations/*.sql`, so that a bundle of the server carries them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'migrations');
const target = join(import.meta.dirname, '..', 'src', 'migrations.generated.ts');

const entries = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .toSorted()
  .map((name) => ({
    name: name.replace(/\.sql$/, ''),
    statements: readFileSync(join(folder, name), 'utf8')
      .split('--> statement-breakpoint')
      .map((statement) => statement.trim()),
  }));

writeFileSync(
  target,
  `/** Made by scripts/embed-migrations.ts from migrations/*.sql. Do not edit. */\nexport const migrations: readonly { readonly name: string; readonly statements: readonly string[] }[] = ${JSON.stringify(entries, null, 2)};\n`,
);
