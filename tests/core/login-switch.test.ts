import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, itemsOf, startHouse } from '../support/house.ts';

const SentInput = z.object({ input: z.array(z.object({ encrypted_content: z.string().optional() })) });

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

describe('a session that changes between an OpenAI key and a ChatGPT login (P8, P10)', () => {
  it('sends each account only the encrypted reasoning that is its own', async () => {
    const { flow_id, url } = await house.client.startLogin({
      params: { provider: 'openai' },
      body: { method: 'callback', acknowledge_terms: true },
    });
    // What the browser does: the vendor sends it back to the port that waits for it.
    expect((await fetch(url)).status).toBe(200);
    const { flow } = await house.client.getLogin({ params: { flow_id } });
    expect(flow).toMatchObject({ state: 'done' });
    const session = await house.session({ provider: 'openai', model: 'gpt-6-sol', auth_type: 'api_key' });
    const params = { session_id: session.id };
    /** Says something, and gives where it went and how many parts of encrypted reasoning went along. */
    const say = async (auth_type: 'api_key' | 'oauth', text: string) => {
      await house.client.patchSession({ params, body: { auth_type } });
      const watch = await house.ask(session.id, text);
      expect(itemsOf(watch, 'notice').filter(({ data }) => data.level === 'error')).toEqual([]);
      expect(watch.view?.turn).toMatchObject({ status: 'done' });
      watch.close();
      const request = house.simulator.requests.findLast(({ kind }) => kind === 'answer');
      const { input } = SentInput.parse(JSON.parse(request?.body.toString('utf8') ?? ''));
      const reasoning = input.filter(({ encrypted_content }) => encrypted_content !== undefined);
      return [request?.url.includes('/backend-api/'), reasoning.length];
    };
    expect(await say('api_key', 'think about birds')).toEqual([false, 0]);
    expect(await say('api_key', 'think about fish')).toEqual([false, 1]);
    expect(await say('oauth', 'think about trees')).toEqual([true, 0]);
    expect(await say('oauth', 'think about stones')).toEqual([true, 1]);
    expect(await say('api_key', 'think about rivers')).toEqual([false, 2]);
  });
});
