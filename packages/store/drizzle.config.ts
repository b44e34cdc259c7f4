import { defineConfig } from 'drizzle-kit';

/** `drizzle-kit generate` writes the next SQL file; then `node scripts/embed-migrations.ts` makes it part of the program. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/schema.ts',
  out: './migrations',
});
