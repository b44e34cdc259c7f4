import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

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
    await expect.poll(() => focused(page)).toBe('Edit');
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

  it('is taken back into the box, with the focus there', async () => {
    const { page, queue } = await waiting(['say one', 'say two']);
    await queue.locator('li').first().getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toBe('say one');
    expect(await focused(page)).toBe('Message to the agent');
    await expect.poll(() => order(queue)).toEqual(['say two']);
  });
});
