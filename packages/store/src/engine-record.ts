import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StartError } from './errors.ts';

const Record = z.object({
  engine: z.enum(['managed', 'url', 'pglite']),
  /** The identity of the database, made with it; null until its first start has finished. */
  database_id: z.string().nullable(),
  chosen_at: z.string(),
});
export type EngineRecord = z.infer<typeof Record>;

const pathOf = (folder: string): string => join(folder, 'engine.json');

/** What the data folder was started with, or undefined before its first start. */
export const recordedEngine = (folder: string): EngineRecord | undefined => {
  const path = pathOf(folder);
  if (!existsSync(path)) return undefined;
  const parsed = Record.safeParse(parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new StartError(
    `${path} cannot be read (it says which database this folder uses). Restore it from a backup of the folder.`,
  );
};

/** What a data folder is on; undefined before its first start. Throws a StartError where that is another engine than the wanted one. */
export const expectEngine = (folder: string, wanted: EngineRecord['engine']): EngineRecord | undefined => {
  const recorded = recordedEngine(folder);
  if (!recorded || recorded.engine === wanted) return recorded;
  // Its first start never came to a database: nothing is there that another choice would hide.
  if (recorded.database_id === null) return undefined;
  throw new StartError(mismatch(folder, recorded, wanted));
};

/** What a data folder is on is chosen at its first start and never changes silently: another choice would show an empty house. */
export const readEngine = (folder: string, wanted: EngineRecord['engine']): EngineRecord => {
  const recorded = expectEngine(folder, wanted);
  if (recorded) return recorded;
  const record = { engine: wanted, database_id: null, chosen_at: new Date().toISOString() };
  write(folder, record);
  return record;
};

/** Called when the database answers: the first time its identity is noted, later it has to be the same. */
export const confirmEngine = (folder: string, record: EngineRecord, database_id: string): void => {
  if (record.database_id === null) write(folder, { ...record, database_id });
  else expectDatabase(folder, record, database_id);
};

/** Throws a StartError where the database is not the one that the data folder was started with. */
export const expectDatabase = (folder: string, record: EngineRecord, database_id: string | null): void => {
  if (record.database_id === null || record.database_id === database_id) return;
  throw new StartError(
    record.engine === 'url'
      ? `DATABASE_URL leads to another database than the one this data folder was started with on ${record.chosen_at}. ` +
          `Set it back, or use another data folder (MAESTRO_DATA) for this database.`
      : `The database in ${folder} is not the one this data folder was started with on ${record.chosen_at}. Put the folder "${folderOf[record.engine]}" back from your copy.`,
  );
};

const folderOf = { managed: 'postgres', pglite: 'pglite', url: '' } as const;

const mismatch = (folder: string, record: EngineRecord, wanted: EngineRecord['engine']): string => {
  if (record.engine === 'url')
    return (
      `The sessions of the data folder ${folder} are in the database that DATABASE_URL named (since ${record.chosen_at}), but DATABASE_URL is not set. ` +
      'Set it again, or choose another data folder with MAESTRO_DATA to start empty.'
    );
  if (wanted === 'url')
    return (
      `DATABASE_URL is set, but the sessions of the data folder ${folder} are in its own database (since ${record.chosen_at}). ` +
      'Unset DATABASE_URL to go on with them, or choose another data folder with MAESTRO_DATA for that database.'
    );
  return (
    `MAESTRO_ENGINE asks for ${wanted}, but the sessions of the data folder ${folder} are in ${record.engine} (since ${record.chosen_at}). ` +
    'Unset MAESTRO_ENGINE, or take a backup and restore it into another data folder.'
  );
};

const write = (folder: string, record: EngineRecord): void => {
  const next = `${pathOf(folder)}.new`;
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, pathOf(folder));
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};
