import { BlobId, type Json } from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let now = Date.parse('2026-01-01T00:00:00Z');
beforeAll(async () => {
  stores = await testStores({ clock: { now: () => now, monotonic: () => now } });
});
afterAll(() => stores.close());

describe('blobs', () => {
  it('come back byte for byte, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100_000, size: 'max' }),
        fc.constantFrom('text/plain', 'image/png'),
        async (bytes, type) => {
          const put = await stores.blobs.put(bytes, type);
          const got = await stores.blobs.get(put.id);
          return Buffer.from(bytes).equals(got?.bytes ?? Buffer.from('none')) && put.size === bytes.length;
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are kept once and compressed where that helps', async () => {
    const bytes = Buffer.from('all the same '.repeat(10_000));
    const one = await stores.blobs.put(bytes, 'text/plain');
    expect(await stores.blobs.put(bytes, 'text/plain')).toEqual(one);
    const [row] = await stores.query(
      `select count(*)::int as n, max(length(bytes)) as length from blobs where sha256 = decode($1, 'hex')`,
      [one.id],
    );
    expect(row?.['n']).toBe(1);
    expect(row?.['length']).toBeLessThan(200);
  });

  it('tell facts of those that exist', async () => {
    const { id } = await stores.blobs.put(Buffer.from('facts'), 'text/csv');
    const none = BlobId.parse('0'.repeat(64));
    expect(await stores.blobs.facts([id, none])).toEqual(
      new Map([[id, { size: 5, media_type: 'text/csv' }]]),
    );
    expect(await stores.blobs.get(none)).toBeUndefined();
  });
});

describe('settings', () => {
  it('keep any JSON by key and list by prefix', async () => {
    const value: Json = { a: [1, null, 'x\0'], b: { c: true } };
    await stores.settings.set('ui.theme', 'dark');
    await stores.settings.set('ui.theme', value);
    await stores.settings.set('ui_other', 1);
    expect(await stores.settings.get('ui.theme')).toEqual(value);
    expect(await stores.settings.get('none')).toBeUndefined();
    expect(await stores.settings.all('ui.')).toEqual(new Map([['ui.theme', value]]));
  });
});

describe('tools (A2)', () => {
  it('are seeded, switched, and keep their switch when seeded again', async () => {
    const tool = { name: 'read_file', description: 'Reads', parameters: { type: 'object' } };
    await stores.tools.seed([tool, { ...tool, name: 'write_file' }]);
    expect(await stores.tools.disabled()).toEqual(new Set());
    expect(await stores.tools.setEnabled('read_file', false)).toBe(true);
    await stores.tools.seed([{ ...tool, description: 'Reads a file' }]);
    expect(await stores.tools.disabled()).toEqual(new Set(['read_file']));
    expect(await stores.tools.setEnabled('nothing', false)).toBe(false);
    const [row] = await stores.query(`select description from tools where name = 'read_file'`);
    expect(row).toEqual({ description: 'Reads a file' });
  });
});

describe('the audit trail (S11)', () => {
  it('is read backwards in pages', async () => {
    const event = {
      actor: 'person',
      action: 'session.create',
      target: 's',
      before: null,
      outcome: 'ok' as const,
      detail: null,
    };
    for (let n = 1; n <= 5; n++) await stores.audit.write({ ...event, after: { n } });
    const first = await stores.audit.list({ limit: 3 });
    const second = await stores.audit.list({ limit: 3, before: first.next ?? '' });
    expect([...first.events, ...second.events].map((each) => each.after)).toEqual(
      [5, 4, 3, 2, 1].map((n) => ({ n })),
    );
    expect(second.next).toBeNull();
    expect(first.events[0]).toMatchObject({ ...event, at: expect.stringMatching(/Z$/) });
    expect((await stores.audit.list({ limit: 3, before: 'nonsense' })).events).toEqual([]);
  });
});

describe('browser sessions', () => {
  const hour = 3_600_000;

  it('live while they are used, up to the end of their life', async () => {
    await stores.browsers.create('a', new Date(now + 24 * hour));
    expect(await stores.browsers.touch('a', 12 * hour)).toBe(true);
    now += 11 * hour;
    expect(await stores.browsers.touch('a', 12 * hour)).toBe(true);
    now += 11 * hour;
    expect(await stores.browsers.touch('a', 12 * hour)).toBe(true);
    now += 3 * hour;
    expect(await stores.browsers.touch('a', 12 * hour)).toBe(false);
  });

  it('end when they rest too long, when they are deleted, and all at once', async () => {
    const end = new Date(now + 1000 * hour);
    for (const hash of ['idle', 'out', 'all']) {
      await stores.browsers.create(hash, end);
      await stores.browsers.touch(hash, 12 * hour);
    }
    await stores.browsers.delete('out');
    expect(await stores.browsers.touch('out', hour)).toBe(false);
    expect(await stores.browsers.touch('all', 100 * hour)).toBe(true);
    now += 13 * hour;
    expect(await stores.browsers.touch('idle', hour)).toBe(false);
    expect(await stores.browsers.touch('all', hour)).toBe(true);
    await stores.browsers.deleteAll();
    expect(await stores.browsers.touch('all', hour)).toBe(false);
    expect(await stores.browsers.touch('unknown', hour)).toBe(false);
  });
});
