import { migrations } from '../migrations.generated.ts';

/** Made anew by whoever needs them: browsers sign in again, a login is begun again, the list of migrations stands in the head of the backup. */
const leftOut = new Set(['browser_sessions', 'oauth_flows', 'schema_migrations']);
const change = /^\s*(?:--[^\n]*\n\s*)*(create|drop) table (?:if (?:not )?exists )?"?(\w+)"?/i;

/** The tables that these migrations leave behind, by name. */
export const tablesAfter = (names: readonly string[]): string[] => {
  const tables = new Set<string>();
  for (const { name, statements } of migrations) {
    if (!names.includes(name)) continue;
    for (const statement of statements) {
      const [, verb, table] = change.exec(statement) ?? [];
      if (!table) continue;
      if (verb?.toLowerCase() === 'create') tables.add(table);
      else tables.delete(table);
    }
  }
  return [...tables].toSorted();
};

/** All tables that any version of ours may have made. */
export const everyTable = (): string[] => [
  ...new Set([
    'schema_migrations',
    ...migrations.flatMap((_, last) => tablesAfter(migrations.slice(0, last + 1).map(({ name }) => name))),
  ]),
];

const makesFunction = /^\s*(?:--[^\n]*\n\s*)*create (?:or replace )?function "?(\w+)"?/i;

/** All functions that any version of ours may have made. */
export const ownFunctions = (): string[] => [
  ...new Set(
    migrations.flatMap(({ statements }) =>
      statements.flatMap((statement) => makesFunction.exec(statement)?.[1] ?? []),
    ),
  ),
];

/** Those of them that a backup holds. */
export const savedTables = (names: readonly string[]): string[] =>
  tablesAfter(names).filter((table) => !leftOut.has(table));

/** Filled by the first start, or by work that has no sessions: what else has rows is somebody's. */
const background = new Set(['settings', 'tools', 'outbox', 'audit_events']);
export const tellingTables = (names: readonly string[]): string[] =>
  savedTables(names).filter((table) => !background.has(table));

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
