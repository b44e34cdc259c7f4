import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { startManaged } from '../src/managed/server.ts';
import { silentLog, testFolder } from '../src/testing.ts';

it('runs on the loopback with a random password where there are no private sockets', async () => {
  const folder = testFolder();
  const server = await startManaged({
    data_folder: folder,
    log: silentLog,
    transport: 'loopback',
    durable: false,
  });
  const ask = async (password: string) => {
    const db = openDatabase({ ...server.connection(), database: 'postgres', password }, silentLog);
    return db.query({ text: 'select 1 as one' }).finally(db.close);
  };
  try {
    const file = join(folder, 'postgres.password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await ask(readFileSync(file, 'utf8').trim())).toEqual([{ one: 1 }]);
    await expect(ask('guess')).rejects.toMatchObject({ code: '28P01' });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
