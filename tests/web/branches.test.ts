import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

const announced = (page: Page): Promise<string | null> =>
  page.locator('.visually-hidden[role="status"][aria-live="polite"]').textContent();
const branchButton = (page: Page) => page.getByRole('button', { name: /^Branch \d of \d/ });

describe('branches of a conversation (A17)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  /** A page on a session in which these were asked and answered. */
  const talked = async (texts: readonly string[]): Promise<Page> => {
    const session = await stage.house.session();
    for (const text of texts) (await stage.house.ask(session.id, text)).close();
    return stage.page({ path: `/sessions/${session.id}` });
  };

  it('edits a message and sends it again on a new branch, and the old one is kept', async () => {
    const page = await talked(['say alpha', 'say beta']);
    const second = page.locator('.user', { hasText: 'say beta' });
    await second.waitFor();
    expect(await branchButton(page).count()).toBe(0);
    await second.hover();
    await second.getByRole('button', { name: 'Edit' }).click();
    const box = page.getByLabel('Edit your message');
    await box.fill('never sent');
    await page.keyboard.press('Escape');
    await second.getByText('say beta').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Edit');
    await page.keyboard.press('Enter');
    await box.fill('say gamma');
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'gamma' }).waitFor();
    expect(await page.locator('.user').allTextContents()).toEqual([
      expect.stringContaining('say alpha'),
      expect.stringContaining('say gamma'),
    ]);
    await branchButton(page).getByText('Branch 2 of 2').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.className')).toBe('composer-box');
  });

  it('switches by keyboard alone, lands on the branch at its end, and says so', async () => {
    const page = await talked(['say alpha', 'say beta']);
    const second = page.locator('.user', { hasText: 'say beta' });
    await second.hover();
    await second.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Edit your message').fill('say gamma');
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'gamma' }).waitFor();
    await stopButton(page).waitFor({ state: 'detached' });

    await branchButton(page).focus();
    await page.keyboard.press('Enter');
    const items = page.getByRole('menuitemradio');
    await items.first().waitFor();
    expect(await items.count()).toBe(2);
    expect(await items.nth(1).getAttribute('aria-checked')).toBe('true');
    await expect.poll(() => items.nth(1).textContent()).toContain('gamma');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'beta' }).waitFor();
    await page.locator('.agent', { hasText: 'gamma' }).waitFor({ state: 'detached' });
    await branchButton(page).getByText('Branch 1 of 2').waitFor();
    expect(await announced(page)).toMatch(/another branch/);
    await expect
      .poll(() =>
        page.evaluate(`(() => {
          const scroller = document.querySelector('.transcript');
          return Math.round(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
        })()`),
      )
      .toBeLessThan(2);
  });

  it('answers the last message again by Retry, which only the last answer has', async () => {
    const page = await talked(['say alpha', 'say beta']);
    await page.locator('.agent', { hasText: 'beta' }).waitFor();
    expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(1);
    const last = page.locator('.agent').last();
    await last.hover();
    await last.getByRole('button', { name: 'Retry' }).click();
    await branchButton(page).getByText('Branch 2 of 2').waitFor();
    await page.locator('.agent', { hasText: 'beta' }).waitFor();
    expect(await page.locator('.user').count()).toBe(2);
  });

  it('forks from an earlier answer and goes on from there', async () => {
    const page = await talked(['say alpha', 'say beta']);
    const first = page.locator('.agent', { hasText: 'alpha' });
    await first.hover();
    await first.getByRole('button', { name: 'Fork from here' }).click();
    await page.locator('.user', { hasText: 'say beta' }).waitFor({ state: 'detached' });
    await branchButton(page).getByText('Branch 2 of 2').waitFor();
    await page.keyboard.type('say delta');
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'delta' }).waitFor();
    expect(await page.locator('.user').allTextContents()).toEqual([
      expect.stringContaining('say alpha'),
      expect.stringContaining('say delta'),
    ]);
  });

  it('forks at an own message and has it answered there, by one button', async () => {
    const page = await talked(['say alpha', 'say beta']);
    const answer = page.getByRole('button', { name: 'Answer it' });
    const first = page.locator('.user', { hasText: 'say alpha' });
    await page.locator('.agent', { hasText: 'beta' }).waitFor();
    expect(await answer.count()).toBe(0);
    await first.hover();
    await first.getByRole('button', { name: 'Fork from here' }).click();
    await page.locator('.agent').first().waitFor({ state: 'detached' });
    await page.getByText('Your last message has no answer on this branch').waitFor();
    await answer.focus();
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'alpha' }).waitFor();
    await answer.waitFor({ state: 'detached' });
    await branchButton(page).getByText('Branch 2 of 2').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.className')).toBe('composer-box');
    expect(await page.locator('.user').count()).toBe(1);
  });

  it('forks from a tool call, with its whole step', async () => {
    const working_directory = stage.house.folder({ 'input.txt': 'abc' });
    const session = await stage.house.session({ working_directory });
    (await stage.house.ask(session.id, 'read input.txt and write its upper case to out.txt')).close();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    const read = page.locator('.tool', { hasText: 'read_file' });
    await page.locator('.tool', { hasText: 'write_file' }).waitFor();
    await read.locator('.fold').click();
    await read.getByRole('button', { name: 'Fork from here' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.tool', { hasText: 'write_file' }).waitFor({ state: 'detached' });
    await branchButton(page).getByText('Branch 2 of 2').waitFor();
    expect(await page.locator('.tool').count()).toBe(1);
  });

  it('can do none of it while a turn runs, and says why', async () => {
    const page = await talked(['say alpha']);
    await say(page, 'write 900 words at 40 tokens per second');
    await stopButton(page).waitFor();
    const first = page.locator('.user').first();
    await first.hover();
    const fork = first.getByRole('button', { name: /^Fork from here/ });
    await expect.poll(() => fork.getAttribute('aria-disabled')).toBe('true');
    expect(await fork.getAttribute('aria-label')).toMatch(/wait until it has ended, or stop it/);
    await fork.click({ force: true });
    await expect.poll(() => announced(page)).toMatch(/Not while a turn runs/);
    expect(await branchButton(page).count()).toBe(0);
    await page.keyboard.press('Escape');
    await stopButton(page).waitFor({ state: 'detached' });
    await expect.poll(() => fork.getAttribute('aria-disabled')).toBe('false');
  });

  it('brings a client that looks on to the branch another one went to', async () => {
    const page = await talked(['say alpha', 'say beta']);
    await page.locator('.agent', { hasText: 'beta' }).waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1) as never;
    const { items } = await stage.house.client.listItems({
      params: { session_id: id },
      query: { limit: 60 },
    });
    const message = items.find((item) => item.kind === 'user_message' && item.data.text === 'say beta');
    await stage.house.client.editMessage({
      params: { session_id: id },
      body: { item_id: message?.id ?? ('' as never), text: 'say epsilon' },
    });
    await page.locator('.agent', { hasText: 'epsilon' }).waitFor();
    await page.locator('.user', { hasText: 'say beta' }).waitFor({ state: 'detached' });
    expect(await page.locator('.user').count()).toBe(2);
  });
});
