import type { Change, Exchange, Lease } from '@maestro/ports';
import { type BlobId, ItemId, MessageId, QueueId, type SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collectBlobs, collectWhenDue } from '../src/blob-collection.ts';
import { sampleSession, silentLog, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let number = 0;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());
beforeEach(() => stores.query('delete from blobs where not exists (select from messages)'));

const put = async (text: string): Promise<BlobId> =>
  (await stores.blobs.put(Buffer.from(text), 'text/plain')).id;
const isThere = async (id: BlobId): Promise<boolean> => (await stores.blobs.get(id)) !== undefined;
const collect = () => stores.withDatabase(collectBlobs);
/** As if everything had been written two days ago. */
const age = () => stores.query(`update blobs set created_at = now() - interval '2 days'`);
const all = async (): Promise<number> =>
  Number((await stores.query('select count(*)::int as n from blobs'))[0]?.['n']);

const exchange = (messages: readonly string[]): Exchange => ({
  method: 'POST',
  url: 'http://127.0.0.1:9/',
  request_headers: [],
  request_body: Buffer.from(JSON.stringify({ system: 'Be brief. '.repeat(500), messages })),
  response_status: 200,
  response_headers: [],
});

/** A session with a call of two requests, a message that waits with a file, an image and a whole output. */
const filled = async (name: string): Promise<{ id: SessionId; blobs: BlobId[]; calls: MessageId[] }> => {
  const { id } = await stores.sessions.create(sampleSession(`${name}_${number++}`));
  const lease = (await stores.sessions.acquire(id, 'me', 60_000)) as Lease;
  const commit = async (change: Change) =>
    expect(await stores.sessions.commit(lease, change)).toMatchObject({ ok: true });
  const blobs = [
    await put(`${name} waits`),
    await put(`${name} image`),
    await put(`${name} output`),
  ] as const;
  const [file, image, output] = blobs;
  const calls = [MessageId.parse(`${id}_1`), MessageId.parse(`${id}_2`)] as const;
  const words = Array.from({ length: 6 }, (_, n) => `${name} ${n} `.repeat(300));
  const message = { turn_id: null, role: 'assistant' } as const;
  await commit({
    items: [
      {
        id: ItemId.parse('call'),
        turn_id: null,
        kind: 'tool_call',
        status: 'done',
        data: { name: 'bash', call_id: 'c', output_blob: output },
      },
    ],
    messages: [
      {
        ...message,
        id: calls[0],
        content: [{ type: 'image', blob_id: image, media_type: 'image/png' }],
        exchange: exchange(words.slice(0, 3)),
      },
    ],
  });
  await commit({ messages: [{ ...message, id: calls[1], content: [], exchange: exchange(words) }] });
  const attachments = [{ blob_id: file, name: 'a.txt', media_type: 'text/plain', size: 1 }];
  await commit({ queue: { put: [{ id: QueueId.parse('q'), text: 'x', attachments, deliver: 'queue' }] } });
  return { id, blobs: [...blobs], calls: [...calls] };
};

describe('blobs that nothing names any more (S2)', () => {
  it('go with their session, and nothing goes that another names', async () => {
    const stays = await filled('stays');
    const goes = await filled('goes');
    const before = await Promise.all(stays.calls.map((id) => stores.sessions.raw(id)));
    await age();
    expect(await collect()).toEqual({ removed: 0, bytes: 0 });
    const both = await all();

    await stores.sessions.delete(goes.id);
    const { removed, bytes } = await collect();
    // Its file, its image, its output, its six messages; the words of the system are those of the other too.
    expect(removed).toBeGreaterThanOrEqual(9);
    expect(bytes).toBeGreaterThan(0);
    expect(await all()).toBe(both - removed);
    expect(await Promise.all(goes.blobs.map(isThere))).toEqual([false, false, false]);
    expect(await Promise.all(stays.blobs.map(isThere))).toEqual([true, true, true]);
    expect(await Promise.all(stays.calls.map((id) => stores.sessions.raw(id)))).toEqual(before);
    expect(before[1]?.request_body).toContain('stays 5');

    await stores.sessions.delete(stays.id);
    await collect();
    expect(await all()).toBe(0);
  });

  it('stay for a day, and for another when they are uploaded or named again', async () => {
    const [forgotten, again, asked] = [await put('forgotten'), await put('again'), await put('asked')];
    expect(await collect()).toMatchObject({ removed: 0 });
    await age();
    await put('again');
    await stores.blobs.facts([asked]);
    expect(await collect()).toMatchObject({ removed: 1 });
    expect(await Promise.all([forgotten, again, asked].map(isThere))).toEqual([false, true, true]);
  });

  it('are found among more rows than one page', async () => {
    for (let n = 0; n < 450; n += 1) await put(`page ${n}`);
    await age();
    expect(await collect()).toMatchObject({ removed: expect.any(Number) });
    expect(await all()).toBe(0);
  });

  it('are collected once a day by a job that lasts, and the log says how many', async () => {
    const first = await put('first');
    await age();
    await stores.jobs.send('store.blobs', null);
    await expect.poll(() => isThere(first), { timeout: 15_000 }).toBe(false);

    const second = await put('second');
    await age();
    const logged: unknown[] = [];
    const log = { ...silentLog, info: (event: string, fields?: object) => logged.push({ event, ...fields }) };
    await expect
      .poll(() => stores.query(`select from settings where key = 'store.blobs_collected'`))
      .toHaveLength(1);
    await stores.withDatabase((db) => collectWhenDue(db, log));
    expect([await isThere(second), logged]).toEqual([true, []]);
    await stores.query(
      `update settings set updated_at = now() - interval '25 hours' where key = 'store.blobs_collected'`,
    );
    await stores.withDatabase((db) => collectWhenDue(db, log));
    expect(await isThere(second)).toBe(false);
    expect(logged).toMatchObject([{ event: 'blobs.collected', removed: 1 }]);
  });
});
