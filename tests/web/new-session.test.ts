import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, startStage } from './support.ts';

describe('who answers in a new session (P14, P16, W4)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ env: { OPENAI_API_KEY: undefined } });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  it('lists every provider, and of one that is not ready says what to do', async () => {
    const page = await stage.page();
    const choice = page.getByLabel('Provider', { exact: true });
    const names = (await stage.house.client.providers()).providers;
    expect(await choice.locator('option').count()).toBe(names.length);
    await choice.locator('option', { hasText: 'OpenAI (needs a key)' }).waitFor({ state: 'attached' });
    await choice.selectOption('openai');
    await page.getByText(/or set OPENAI_API_KEY and start the server again/).waitFor();
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
