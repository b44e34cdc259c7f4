import type { CallPlace } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { startEngine } from './support/engine.ts';

describe('what a call costs', () => {
  it('is asked for with where the call went, and the basis follows the price (T2, T4)', async () => {
    const places: (CallPlace | undefined)[] = [];
    await using house = await startEngine({
      base_url: () => 'https://models.example',
      prices: {
        cost: (_provider, _model, _usage, place) => {
          places.push(place);
          return { usd: place?.base_url === 'http://gpu.lan' ? '0' : null, price_revision: 'test' };
        },
      },
    });
    const usual = await house.session();
    const own = await house.session({ base_url: 'http://gpu.lan' });
    for (const { id } of [usual, own]) {
      await house.send(id, 'Hello');
      await house.ended(id);
    }
    expect(places).toEqual([
      { auth_type: 'none', base_url: 'https://models.example' },
      { auth_type: 'none', base_url: 'http://gpu.lan' },
    ]);
    const rows = await house.stores.query('select basis from usage_events order by at');
    expect(rows.map((row) => row['basis'])).toEqual(['unknown', 'local']);
    expect((await house.stores.sessions.get(usual.id))?.totals).toMatchObject({ unpriced_calls: 1 });
  });
});
