import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlsOf, type Stage, startStage } from './support.ts';

describe('the dashboard (W4)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('offers the form for a first session, says what is wrong beside its field, and opens what it made', async () => {
    const page = await stage.page();
    await page.getByRole('heading', { name: 'Start your first session' }).waitFor();
    const folder = page.getByLabel('Working directory');
    await folder.fill('/no/such/folder');
    await page.getByLabel('System prompt (optional)').fill('Be brief.');
    await page.getByRole('button', { name: 'Start session' }).click();
    const problem = page.locator('.field', { has: folder }).getByRole('alert');
    await problem.waitFor();
    expect(await folder.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('System prompt (optional)').inputValue()).toBe('Be brief.');

    await folder.fill(stage.house.folder());
    await page.getByLabel('Access').selectOption('ask');
    await page.getByRole('button', { name: 'Start session' }).click();
    await page.getByLabel('Message to the agent').waitFor();
    expect(page.url()).toContain('/sessions/ses_');
    expect(await page.getByLabel('Access').inputValue()).toBe('ask');
    expect(await page.getByLabel('System prompt').inputValue()).toBe('Be brief.');
  });

  it('shows a card change live, in words, with tokens and cost', async () => {
    const page = await stage.page();
    const session = await stage.house.session({ title: 'A card to watch' });
    const card = page.locator('.card', { hasText: 'A card to watch' });
    await card.getByText('Idle').waitFor();
    await stage.house.client.sendMessage({
      params: { session_id: session.id },
      body: { text: 'write 40 words at 100 tokens per second' },
    });
    await card.getByText('Working').waitFor();
    await card.getByText('Idle').waitFor();
    expect(await card.getByText(/^\d.*tokens$/).textContent()).not.toBe('0 tokens');
    expect(await card.getByText(/^\$0\.\d+/).isVisible()).toBe(true);
    expect(await card.getByText(/assistant · Anthropic · claude/).isVisible()).toBe(true);
  });

  it('calls the sessions of one title differently, on their cards and in the list, and says which is archived (W10)', async () => {
    const [first] = [
      await stage.house.session({ title: 'Twins' }),
      await stage.house.session({ title: 'Twins' }),
      await stage.house.session({ title: 'Twins' }),
    ];
    const page = await stage.page();
    await page.getByLabel('Show archived').check();
    await page.getByText('Nothing is archived.').waitFor();
    await page.getByRole('button', { name: 'Archive Twins (3)' }).click();
    await page.getByRole('button', { name: 'Delete Twins, archived' }).waitFor();
    const controls = await controlsOf(page.getByRole('main'));
    expect(new Set(controls).size).toBe(controls.length);
    await page.getByRole('button', { name: 'Archive Twins', exact: true }).click();
    const kept = () => stage.house.client.getSession({ params: { session_id: first.id } });
    await expect.poll(async () => (await kept()).session.archived_at).not.toBeNull();
  });

  it('archives, restores, and deletes only after the word is typed', async () => {
    const session = await stage.house.session({ title: 'To be put away' });
    const page = await stage.page();
    const card = page.locator('.card', { hasText: 'To be put away' });
    await card.getByRole('button', { name: 'Archive' }).click();
    await card.waitFor({ state: 'detached' });
    await page.getByLabel('Show archived').check();
    await page.getByRole('heading', { name: 'Archived', exact: true }).waitFor();
    await card.getByRole('button', { name: 'Restore' }).click();
    await page.locator('.archived .card', { hasText: 'To be put away' }).waitFor({ state: 'detached' });

    await card.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    const really = dialog.getByRole('button', { name: 'Delete session' });
    expect(await really.isDisabled()).toBe(true);
    await dialog.getByLabel('Type “delete” to confirm').fill('delete');
    await really.click();
    await card.waitFor({ state: 'detached' });
    await expect(stage.house.client.getSession({ params: { session_id: session.id } })).rejects.toMatchObject(
      {
        status: 404,
      },
    );
  });

  it('has a dialog there in the next frame, the first time too, once it is calm (W10)', async () => {
    await stage.house.session({ title: 'Opened at once' });
    const page = await stage.page();
    const button = page.getByRole('button', { name: 'Delete Opened at once' });
    await button.waitFor();
    const fetched =
      "performance.getEntriesByType('resource').some(({ name }) => name.includes('/DeleteDialog'))";
    await expect.poll(() => page.evaluate(fetched)).toBe(true);
    await page.waitForLoadState('networkidle');
    await page.evaluate('new Promise((idle) => requestIdleCallback(idle))');
    await button.focus();
    const opens = `(async () => {
      document.activeElement.click();
      await new Promise(requestAnimationFrame);
      return document.querySelector('[role="dialog"]') !== null;
    })()`;
    expect(await page.evaluate(opens)).toBe(true);
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('confirm-delete');
  });

  it('measures the server live, in numbers', async () => {
    const page = await stage.page();
    const panel = page.getByRole('complementary', { name: 'Server' });
    await panel.getByText(/^\d+ %$/).waitFor();
    await panel.getByText(/^\d+ MB$/).waitFor();
    await panel.getByText(/PostgreSQL \d+.*managed/).waitFor();
  });
});
