import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { describe, expect, it } from 'vitest';
import { itemsOf, startHouse } from '../support/house.ts';

const keysSeen = (simulator: Simulator) =>
  simulator.requests
    .filter(({ kind }) => kind === 'answer')
    .map(
      ({ raw_headers }) => raw_headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? null,
    );

describe('a preset in a running server (P16)', () => {
  it('is offered, answers with its own key, and its key goes nowhere else', async () => {
    await using house = await startHouse({ env: { ACME_API_KEY: 'key-of-acme' } });
    const acme = await startSimulator();
    const stranger = await startSimulator();
    try {
      writeFileSync(
        join(house.server.data, 'presets.json'),
        JSON.stringify({
          presets: [
            { id: 'broken', name: 'Broken', base_url: 'nowhere', auth: 'key' },
            {
              id: 'acme',
              name: 'Acme',
              base_url: acme.base('compatible'),
              key_name: 'ACME_API_KEY',
              auth: 'key',
              habits: { max_tokens_field: 'max_completion_tokens' },
            },
          ],
        }),
      );
      const { providers } = await house.client.providers({ query: { refresh: 'true' } });
      const [offered] = providers.flatMap(({ presets }) => presets);
      expect(offered).toMatchObject({ id: 'acme', state: 'ready', credential: 'environment ACME_API_KEY' });
      expect(house.server.stderr()).toContain('presets.0.base_url must be an http:// or https:// address');

      const session = await house.session({
        provider: 'compatible',
        model: 'deepseek-reasoner',
        base_url: offered?.base_url ?? '',
        working_directory: house.folder({ 'a.txt': 'hello' }),
      });
      expect(session.auth_type).toBe('api_key');
      const watch = await house.ask(session.id, 'read a.txt');
      expect(watch.view?.turn?.status).toBe('done');
      expect(itemsOf(watch, 'tool_call').map(({ status }) => status)).toEqual(['done']);
      expect(keysSeen(acme)).toEqual(['Bearer key-of-acme', 'Bearer key-of-acme']);

      const elsewhere = await house.session({
        provider: 'compatible',
        model: 'deepseek-reasoner',
        base_url: stranger.base('compatible'),
      });
      expect(elsewhere.auth_type).toBe('none');
      await house.ask(elsewhere.id, 'say hello');
      expect(keysSeen(stranger)).toEqual([null]);
    } finally {
      await acme.close();
      await stranger.close();
    }
  });
});
