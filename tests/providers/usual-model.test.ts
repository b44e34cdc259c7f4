import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type House, startHouse } from '../support/house.ts';

/** An Ollama with these models. Those named in `able` can call tools. */
const ollamaWith = async (models: readonly string[], able: readonly string[] = []) => {
  const server = createServer(async (request, response) => {
    if (request.url === '/api/tags') {
      response.end(JSON.stringify({ models: models.map((name) => ({ name })) }));
      return;
    }
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const { model } = JSON.parse(Buffer.concat(body).toString('utf8'));
    response.end(JSON.stringify({ capabilities: able.includes(model) ? ['tools'] : [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
};

describe('a session of Ollama that names no model (P12, P14)', () => {
  let house: House;
  let usual: Awaited<ReturnType<typeof ollamaWith>>;
  beforeAll(async () => {
    usual = await ollamaWith(['old:1b', 'able:3b'], ['able:3b']);
    house = await startHouse({ env: { OLLAMA_HOST: usual.url } });
  }, 90_000);
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]();
    usual?.close();
  });

  it('gets one that is there, before any list was asked for', async () => {
    const made = await house.session({ provider: 'ollama' });
    expect(made.model).toBe('able:3b');
  });

  it('gets one of the Ollama that it names, and of that it changes to', async () => {
    const other = await ollamaWith(['other:7b']);
    onTestFinished(other.close);
    const made = await house.session({ provider: 'ollama', base_url: other.url });
    expect(made.model).toBe('other:7b');
    const changing = await house.session({ provider: 'anthropic' });
    const { session } = await house.client.patchSession({
      params: { session_id: changing.id },
      body: { provider: 'ollama' },
    });
    expect(session).toMatchObject({ provider: 'ollama', model: 'able:3b', auth_type: 'none' });
  });

  it('is refused with what to do where there is none, and made where one is named', async () => {
    const empty = await ollamaWith([]);
    onTestFinished(empty.close);
    await expect(house.session({ provider: 'ollama', base_url: empty.url })).rejects.toMatchObject({
      status: 400,
      field: 'body.model',
      message: expect.stringMatching(
        /No model is named.*no models.*ollama pull qwen3:8b, or name a model\.$/,
      ),
    });
    const nobody = 'http://127.0.0.1:9';
    await expect(house.session({ provider: 'ollama', base_url: nobody })).rejects.toMatchObject({
      field: 'body.model',
      message: expect.stringMatching(/refused\. Start it with: ollama serve, or name a model\.$/),
    });
    const named = await house.session({ provider: 'ollama', base_url: nobody, model: 'mine' });
    expect(named.model).toBe('mine');
  });
});
