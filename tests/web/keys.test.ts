import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialRow, providerCard, type Stage, say, startStage } from './support.ts';

describe('keys (W1, P7)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ env: { OPENAI_API_KEY: undefined } });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  it('shows every provider with its state, where its credential comes from, and its header profile', async () => {
    const page = await stage.page();
    await page.getByRole('link', { name: 'Keys & accounts' }).click();
    const anthropic = providerCard(page, 'Anthropic');
    await anthropic.getByText('Ready', { exact: true }).waitFor();
    await anthropic.getByText('ANTHROPIC_API_KEY from the environment').waitFor();
    await anthropic.getByText('maestro-spec').waitFor();
    const openai = providerCard(page, 'OpenAI');
    await openai.getByText('Needs a key').waitFor();
    await openai.getByText(/set OPENAI_API_KEY and start the server again/).waitFor();
    await providerCard(page, 'Ollama').getByText('none needed').waitFor();
    await page.getByText('None yet. Keys in the environment work without being saved.').waitFor();
  });

  it('shows what is saved while the list of before is on its way, and goes on to', async () => {
    const page = await stage.page();
    const asked = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    await page.route('**/api/v1/credentials', async (route) => {
      const before = await route.fetch();
      asked.resolve();
      await told.promise;
      await route.fulfill({ response: before });
    });
    const answer = page.waitForResponse('**/api/v1/credentials');
    await page.goto(`${stage.house.server.url}/auth`);
    await asked.promise;
    const { credential } = await stage.house.client.createCredential({
      body: { provider: 'openai', name: 'meanwhile', api_key: 'sk-good-key-5678' },
    });
    const row = credentialRow(page, 'meanwhile');
    await row.waitFor();
    told.resolve();
    await (await answer).finished();
    // As long as the page needs to draw it.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await row.count()).toBe(1);
    await stage.house.client.deleteCredential({ params: { id: credential.id }, query: {} });
    await row.waitFor({ state: 'detached' });
  });

  it('keeps a refused key typed, says so beside the field, and saves nothing', async () => {
    const page = await stage.page({ path: '/auth?provider=openai' });
    const key = page.getByLabel('Key', { exact: true });
    await expect.poll(() => key.evaluate((box) => box === document.activeElement)).toBe(true);
    expect(await key.getAttribute('type')).toBe('password');
    await page.keyboard.press('Enter');
    await page.getByText('Paste the key here.').waitFor();
    await page.keyboard.type('sk-wrong-key-9999');
    await page.keyboard.press('Enter');
    const problem = page.locator('.field', { has: key }).getByRole('alert');
    await expect.poll(() => problem.textContent()).toMatch(/OpenAI did not accept .* It was not saved/);
    expect(await key.inputValue()).toBe('sk-wrong-key-9999');
    expect((await stage.house.client.credentials()).credentials).toEqual([]);
    await providerCard(page, 'OpenAI').getByText('Needs a key').waitFor();
  });

  it('saves a key that works, shows four characters of it, and makes the provider ready', async () => {
    const page = await stage.page({ path: '/auth?provider=openai' });
    await page.getByLabel('Name (optional)').fill('work');
    const key = page.getByLabel('Key', { exact: true });
    await key.fill('sk-good-key-1234');
    await key.press('Enter');
    await page.getByText('“work” works and is saved.').waitFor();
    expect(await key.inputValue()).toBe('');
    const row = credentialRow(page, 'work');
    await row.getByText('Valid').waitFor();
    await row.getByText('…1234').waitFor();
    await row.getByText('default').waitFor();
    const openai = providerCard(page, 'OpenAI');
    await openai.getByText('Ready', { exact: true }).waitFor();
    await openai.getByText('saved “work”').waitFor();
    expect(await page.content()).not.toContain('sk-good-key');

    await key.fill('sk-good-key-5678');
    await page.getByLabel('Name (optional)').fill('work');
    await key.press('Enter');
    await page.locator('.field-error', { hasText: 'already a credential named "work"' }).waitFor();
    expect(await key.inputValue()).toBe('sk-good-key-5678');

    await key.fill('sk-revoked-key-1111');
    await page.getByLabel('Name (optional)').fill('other');
    await key.press('Enter');
    await page.getByText(/It was not saved/).waitFor();
    await row.getByText('default').waitFor();
    await key.fill('sk-good-key-2222');
    await key.press('Enter');
    await credentialRow(page, 'other').getByText('default').waitFor();
    await row.getByText('default').waitFor({ state: 'detached' });
    // The browser itself reports the refused request.
    stage.complaints.length = 0;
  });

  it('follows changes made elsewhere, tests again and says the outcome, and deletes after its name is typed', async () => {
    const page = await stage.page({ path: '/auth' });
    await page.getByRole('heading', { name: 'Saved credentials' }).waitFor();
    await stage.house.client.createCredential({
      body: { provider: 'gemini', name: 'from elsewhere', api_key: 'gm-revoked-key-4321', is_default: false },
    });
    const row = credentialRow(page, 'from elsewhere');
    await row.getByText('Refused').waitFor();
    await row.getByRole('button', { name: /^Test/ }).click();
    await page
      .locator('.table-note')
      .getByRole('status')
      .filter({ hasText: /Gemini/ })
      .waitFor();
    await row.getByRole('button', { name: /^More/ }).click();
    await page.getByRole('button', { name: /^Delete .*from elsewhere/ }).click();
    const dialog = page.getByRole('dialog');
    const really = dialog.getByRole('button', { name: 'Delete key' });
    expect(await really.isDisabled()).toBe(true);
    const name = dialog.getByLabel('Type “from elsewhere” to confirm');
    await name.fill('delete');
    expect(await really.isDisabled()).toBe(true);
    await name.fill('from elsewhere');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await row.waitFor({ state: 'detached' });
    const { credentials } = await stage.house.client.credentials();
    expect(credentials.map((one) => one.name)).not.toContain('from elsewhere');
  });

  it('names a key of a known compatible service after it, for its address only (P16)', async () => {
    const page = await stage.page({ path: '/auth' });
    const compatible = providerCard(page, 'OpenAI-compatible service');
    await compatible.getByText(/known services/).click();
    await compatible.getByRole('button', { name: 'Add a key for OpenRouter' }).click();
    expect(await page.getByLabel('Service', { exact: true }).inputValue()).toBe('openrouter');
    await page.getByText(/The key is given to https:\/\/openrouter.ai.* only/).waitFor();
    expect(await page.getByLabel('Name (optional)').count()).toBe(0);
  });

  it('is one click away from every hint that a key is missing', async () => {
    const page = await stage.page();
    await page.getByRole('heading', { name: 'Start your first session' }).waitFor();
    await page.getByLabel('Provider', { exact: true }).selectOption('openai_chat');
    const state = (await stage.house.client.providers()).providers.find((one) => one.id === 'openai_chat');
    expect(state?.state).toBe('needs_key');
    await page.getByRole('link', { name: 'Add a key' }).click();
    await page.getByRole('heading', { name: 'Keys & accounts' }).waitFor();
    expect(await page.getByLabel('Provider', { exact: true }).inputValue()).toBe('openai_chat');

    const session = await stage.house.session();
    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await say(page, 'fail with 401');
    await page.locator('.notice.error').getByRole('link', { name: 'Add a key' }).click();
    await page.getByRole('heading', { name: 'Keys & accounts' }).waitFor();
  });
});
