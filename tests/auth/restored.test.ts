import { join } from 'node:path';
import { openStores, restoreBackup, takeBackup } from '@maestro/store';
import { silentLog } from '@maestro/store/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { type LoginWorld, refresherOn, startLogins } from './support/logins.ts';

let home: string;
let world: LoginWorld;
beforeAll(async () => {
  home = temporaryFolder('restored');
  world = await startLogins();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await removeFolder(home);
});

it('a login whose token was refreshed after the backup says so at its first refresh (S10, P9)', async () => {
  const options = {
    data_folder: join(home, 'data'),
    log: silentLog,
    version: 'test',
    jobs_after_ms: 3_600_000,
  };
  const path = join(home, 'mine.backup');
  let stores = await openStores(options);
  const used = await world.put(stores.credentials, 'anthropic');
  const unused = await world.put(stores.credentials, 'openai');
  const google = await world.put(stores.credentials, 'gemini');
  await stores.close();
  const { head } = await takeBackup({ ...options, path });
  stores = await openStores(options);
  const before = refresherOn(stores.credentials, world.clients);
  for (const { id } of [used, google]) expect((await before.refresh(id, 1)).ok).toBe(true);
  await stores.close();
  await restoreBackup({ ...options, path, force: true });

  stores = await openStores(options);
  try {
    const after = refresherOn(stores.credentials, world.clients);
    const refused = await after.refresh(used.id, 1);
    const words = `It was restored from the backup of ${head.created_at.slice(0, 16).replace('T', ' ')} UTC`;
    expect(refused).toMatchObject({
      ok: false,
      error: { kind: 'over', error: { message: expect.stringContaining(words) } },
    });
    const known = await stores.credentials.get(used.id);
    expect(known).toMatchObject({ state: 'needs_login', detail: expect.stringContaining(words) });
    expect(known?.detail).toMatch(/ended there\. Log in again under/);
    // Those whose token was not used up go on.
    for (const { id } of [unused, google]) {
      expect((await after.refresh(id, 1)).ok).toBe(true);
      expect((await stores.credentials.get(id))?.detail).toBeNull();
    }
    // A later end has nothing to do with the restore any more.
    expect(await stores.credentials.restoredFrom(unused.id, 1)).toBe(head.created_at);
    expect(await stores.credentials.restoredFrom(unused.id, 2)).toBeNull();
  } finally {
    await stores.close();
  }
});
