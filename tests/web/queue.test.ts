import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlsOf, type Stage, say, startStage, stopButton } from './support.ts';

const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");

describe('waiting messages (W5)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  /** A page whose session runs a long turn, with these messages waiting. */
  const waiting = async (texts: readonly string[]): Promise<{ page: Page; queue: Locator; id: string }> => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write 900 words at 40 tokens per second');
    await stopButton(page).waitFor();
    const queue = page.getByRole('region', { name: 'Waiting messages' });
    for (const text of texts) {
      await say(page, text);
      await queue.getByText(text).waitFor();
    }
    return { page, queue, id: session.id };
  };
  const order = (queue: Locator): Promise<string[]> => queue.locator('li > .truncate').allTextContents();

  it('is edited in place: Enter saves, Esc leaves it and the turn as they were', async () => {
    const { page, queue } = await waiting(['say one']);
    await queue.getByRole('button', { name: 'Edit' }).click();
    const box = queue.getByLabel('Edit the waiting message');
    expect(await box.inputValue()).toBe('say one');
    await box.fill('say something else');
    await page.keyboard.press('Escape');
    await queue.getByText('say one').waitFor();
    expect(await stopButton(page).isVisible()).toBe(true);
    await queue.getByRole('button', { name: 'Edit' }).click();
    await box.fill('say edited words');
    await page.keyboard.press('Enter');
    await queue.getByText('say edited words').waitFor();
    await expect.poll(() => focused(page)).toBe('Edit: say edited words');
    await page.keyboard.press('Escape');
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
    await queue.getByRole('button', { name: 'Send now' }).click();
    await page.locator('.agent', { hasText: 'edited words' }).waitFor();
  });

  it('moves up and down by buttons and by keys, and the focus moves along', async () => {
    const { page, queue, id } = await waiting(['say one', 'say two', 'say three']);
    await queue.getByRole('button', { name: 'Move up: say three' }).click();
    await expect.poll(() => order(queue)).toEqual(['say one', 'say three', 'say two']);
    await expect.poll(() => focused(page)).toBe('Move up: say three');
    await page.keyboard.press('Enter');
    await expect.poll(() => order(queue)).toEqual(['say three', 'say one', 'say two']);
    await expect.poll(() => focused(page)).toBe('Move down: say three');
    await page.keyboard.press('Alt+ArrowDown');
    await expect.poll(() => order(queue)).toEqual(['say one', 'say three', 'say two']);
    await expect.poll(() => focused(page)).toBe('Move down: say three');
    const kept = await stage.house.client.getQueue({ params: { session_id: id as never } });
    expect(kept.queue.map((entry) => entry.text)).toEqual(['say one', 'say three', 'say two']);
  });

  it('calls every button of every message differently, of the same words too (W10)', async () => {
    const { queue } = await waiting(['say one', 'say two']);
    const page = queue.page();
    await say(page, 'say one');
    await expect.poll(() => order(queue)).toEqual(['say one', 'say two', 'say one']);
    await queue.getByRole('button', { name: 'Edit: say two' }).click();
    await queue.getByLabel('Edit the waiting message: say two').waitFor();
    const controls = await controlsOf(queue);
    expect(controls.length).toBeGreaterThan(10);
    expect(new Set(controls).size).toBe(controls.length);
    expect(controls).toContain('button "Take back: say one (2)"');
  });

  it('is taken back into the box, with the focus there', async () => {
    const { page, queue } = await waiting(['say one', 'say two']);
    await queue.locator('li').first().getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toBe('say one');
    expect(await focused(page)).toBe('Message to the agent');
    await expect.poll(() => order(queue)).toEqual(['say two']);
  });

  it('keeps every button of a long message in sight at 1024 pixels (W10)', async () => {
    const { page, queue } = await waiting([`say ${'much '.repeat(60)}`, 'say two']);
    await page.setViewportSize({ width: 1024, height: 768 });
    const row = queue.locator('li').first();
    for (const name of ['Edit', 'Send now', 'Take back']) {
      const box = await row.getByRole('button', { name }).boundingBox();
      expect(box && box.x + box.width).toBeLessThanOrEqual(1024);
    }
    await row.getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toContain('say much');
  });

  it('can still be sent, moved and edited when the turn it was to go into ended before', async () => {
    const { page, queue } = await waiting([]);
    await page.getByLabel('Message to the agent').fill('say steered');
    await page.keyboard.press('Control+Enter');
    await queue.getByText('goes in before the next step').waitFor();
    await say(page, 'say second');
    await queue.getByText('say second').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
    expect(await queue.getByText('goes in before the next step').count()).toBe(0);
    const steered = queue.locator('li').first();
    expect(await steered.getByRole('button').allTextContents()).toEqual([
      ...['', ''],
      ...['Edit', 'Send now', 'Take back'],
    ]);
    await steered.getByRole('button', { name: 'Send now' }).click();
    await page.locator('.agent', { hasText: 'steered' }).waitFor();
  });

  it('gives back what was typed for it when it goes out meanwhile', async () => {
    const { page, queue, id } = await waiting(['say one', 'say two']);
    await page.keyboard.press('Escape');
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
    const of = async (n: number) => {
      const params = { session_id: id as never };
      const entry = (await stage.house.client.getQueue({ params })).queue[n];
      return { params: { ...params, id: entry?.id ?? ('' as never) } };
    };
    await queue.locator('li').nth(1).getByRole('button', { name: 'Edit' }).click();
    await queue.getByLabel('Edit the waiting message').fill('say more than two');
    const [first, second] = [await of(0), await of(1)];
    await stage.house.client.deleteQueued(first);
    await queue.getByText('say one').waitFor({ state: 'detached' });
    expect(await queue.getByLabel('Edit the waiting message').inputValue()).toBe('say more than two');
    await stage.house.client.patchQueued({ ...second, body: { deliver: 'now' } });
    await page.locator('.agent', { hasText: 'two' }).waitFor();
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toBe('say more than two');
    await expect.poll(() => focused(page)).toBe('Message to the agent');
  });

  it('gives back nothing that went out as it was typed', async () => {
    const { page, queue, id } = await waiting(['say one']);
    await page.keyboard.press('Escape');
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
    await queue.getByRole('button', { name: 'Edit' }).click();
    await queue.getByLabel('Edit the waiting message').fill('say changed');
    const params = { session_id: id as never };
    const entry = (await stage.house.client.getQueue({ params })).queue[0];
    await stage.house.client.patchQueued({
      params: { ...params, id: entry?.id ?? ('' as never) },
      body: { text: 'say changed', deliver: 'now' },
    });
    await page.locator('.agent', { hasText: 'changed' }).waitFor();
    expect(await page.getByLabel('Message to the agent').inputValue()).toBe('');
  });
});
