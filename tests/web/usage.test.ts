import type { Session } from '@maestro/protocol';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

const rowOf = (page: Page, name: string | RegExp): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });

describe('what was spent (W7, T2, T4)', () => {
  let stage: Stage;
  let session: Session;
  beforeAll(async () => {
    stage = await startStage();
    session = await stage.house.session({
      working_directory: stage.house.folder({ 'notes.txt': 'hello\n' }),
    });
    (await stage.house.ask(session.id, 'edit notes.txt replace hello by goodbye')).close();
    const unpriced = await stage.house.session({ provider: 'compatible', model: 'gpt-4.1' });
    (await stage.house.ask(unpriced.id, 'say hello')).close();
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  it('is shown beside the chat by activity, anew when a turn ends', async () => {
    const page = await stage.page({ path: `/sessions/${session.id}` });
    const aside = page.getByRole('complementary', { name: 'Session details' });
    await aside.getByText('Cost by activity').waitFor();
    const line = (name: string): Locator =>
      aside.locator('.totals-line').filter({ has: page.getByText(name, { exact: true }) });
    const dollars = async (name: string): Promise<number> =>
      Number((await line(name).locator('dd').textContent())?.replace('$', ''));
    await line('Tool use').waitFor();
    const before = await dollars('Conversation');
    expect(before).toBeGreaterThan(0);
    expect(await dollars('Tool use')).toBeGreaterThan(0);
    await say(page, 'write 200 words');
    await stopButton(page).waitFor();
    await stopButton(page).waitFor({ state: 'detached' });
    await expect.poll(() => dollars('Conversation')).toBeGreaterThan(before);
  });

  it('adds up on its page, by whatever is asked for, each bar with its figures', async () => {
    const page = await stage.page();
    await page.getByRole('link', { name: 'Usage' }).click();
    const totals = page.getByRole('region', { name: 'All together' });
    await totals.waitFor();
    const { total } = await stage.house.client.usage({ query: { by: 'day' } });
    expect(total.calls).toBeGreaterThan(2);
    await totals.getByText(String(total.calls), { exact: true }).waitFor();
    expect(await page.locator('.bar-value').count()).toBe(1);

    await page.getByRole('button', { name: 'Provider' }).click();
    await rowOf(page, 'Anthropic')
      .getByText(/^\$0\.\d+/)
      .waitFor();
    expect(page.url()).toContain('by=provider');
    await page.reload();
    await rowOf(page, 'Anthropic').waitFor();

    await page.getByRole('button', { name: 'Activity' }).click();
    await rowOf(page, 'Tool use').waitFor();
    await page.getByRole('button', { name: 'Model' }).click();
    await rowOf(page, 'claude-sonnet-5').waitFor();
    await page.getByRole('button', { name: 'Billing' }).click();
    await rowOf(page, 'Billed to a key').waitFor();
    await rowOf(page, 'Price not known').getByText('unknown').waitFor();
    await page.getByRole('button', { name: 'Model' }).click();
    await page.getByLabel('Bars show').selectOption('tokens');
    await page.getByRole('columnheader', { name: 'Tokens, as a bar' }).waitFor();
    await page.getByLabel('Time').selectOption('7');
    await expect.poll(() => page.url()).toMatch(/period=.*7/);
    await rowOf(page, 'claude-sonnet-5').waitFor();
  });

  it('never shows an unknown price as nothing', async () => {
    const { lines } = await stage.house.client.usage({ query: { by: 'provider' } });
    const compatible = lines.find((line) => line.key === 'compatible');
    expect(compatible?.totals.unpriced_calls).toBe(compatible?.totals.calls);
    const page = await stage.page({ path: '/usage?by=provider' });
    await rowOf(page, 'Compatible').getByText('unknown').waitFor();
    await page.getByText(/is not in the price table. It is not counted as nothing/).waitFor();
  });
});
