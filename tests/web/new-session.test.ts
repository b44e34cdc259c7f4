import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, startStage } from './support.ts';

describe('who answers in a new session (P14, P16, W4)', () => {
  let stage: Stage;
  let ollama_runs = false;
  const ollama = createServer((request, response) => {
    if (!ollama_runs) return void request.socket.destroy();
    response.setHeader('content-type', 'application/json');
    const tags = { models: [{ name: 'llama3.2:3b', digest: 'd' }] };
    response.end(JSON.stringify(request.url === '/api/tags' ? tags : { capabilities: ['tools'] }));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => ollama.listen(0, '127.0.0.1', resolve));
    const { port } = ollama.address() as AddressInfo;
    stage = await startStage({ env: { OPENAI_API_KEY: undefined, OLLAMA_HOST: `127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    ollama.close();
    expect(stage.complaints).toEqual([]);
  });

  it('lists every provider, and of one that is not ready says what to do', async () => {
    const page = await stage.page();
    const choice = page.getByLabel('Provider', { exact: true });
    const names = (await stage.house.client.providers()).providers;
    await choice.locator('option', { hasText: 'OpenAI (needs a key)' }).waitFor({ state: 'attached' });
    expect(await choice.locator('option').count()).toBe(names.length);
    await choice.selectOption('openai');
    await page.getByText(/or set OPENAI_API_KEY and start the server again/).waitFor();
  });

  it('offers what was started meanwhile when it is asked again, with a model that is there (P12)', async () => {
    const page = await stage.page();
    const choice = page.getByLabel('Provider', { exact: true });
    await choice.locator('option', { hasText: 'Ollama (does not answer)' }).waitFor({ state: 'attached' });
    await choice.selectOption('ollama');
    ollama_runs = true;
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('Ready.', { exact: true }).waitFor();
    expect(await page.getByLabel('Model', { exact: true }).inputValue()).toBe('llama3.2:3b');
  });

  it('takes a known service by one click: its address, its models, and the way to its key', async () => {
    const page = await stage.page();
    await page.getByLabel('Provider', { exact: true }).selectOption('compatible');
    const service = page.getByRole('button', { name: 'OpenRouter' });
    await service.click();
    expect(await service.getAttribute('aria-pressed')).toBe('true');
    const address = page.getByLabel('Address (optional)');
    expect(await address.inputValue()).toMatch(/^https:\/\/openrouter\.ai\//);
    await page.getByRole('link', { name: 'Add a key' }).click();
    await page.getByRole('heading', { name: 'Keys & accounts' }).waitFor();
    expect(await page.getByLabel('Service', { exact: true }).inputValue()).toBe('openrouter');
    await page.goBack();
    await page.getByLabel('Provider', { exact: true }).selectOption('compatible');
    await service.click();
    await service.click();
    expect(await address.inputValue()).toBe('');
  });

  it('lets the person choose between a key and an account, and leads to the login where there is none (P8)', async () => {
    const page = await stage.page();
    await page.getByLabel('Provider', { exact: true }).selectOption('anthropic');
    await page.getByLabel('Credential', { exact: true }).selectOption('oauth');
    await page.getByText('No account is logged in.').waitFor();
    await page.getByRole('link', { name: 'Log in', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('heading', { name: 'Log in with your Claude account' })
      .waitFor();
  });
});
