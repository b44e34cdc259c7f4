import type { Session } from '@maestro/protocol';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

const kept = (page: Page): Promise<string[]> =>
  page.evaluate("Object.keys(localStorage).filter((key) => key.includes('edit.'))");
const composer = (page: Page): Locator => page.getByLabel('Message to the agent');

describe('what is typed into a message of the past is not lost (Q2, W5)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** A page on a session in which two things were said, with the second being edited. */
  const editing = async (typed: string): Promise<{ page: Page; box: Locator; session: Session }> => {
    const session = await stage.house.session();
    for (const text of ['say alpha', 'say beta']) (await stage.house.ask(session.id, text)).close();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await edit(page, 'say beta');
    const box = page.getByLabel('Edit your message');
    await box.fill(typed);
    return { page, box, session };
  };
  const edit = async (page: Page, text: string): Promise<void> => {
    const row = page.locator('.user', { hasText: text });
    await row.hover();
    await row.getByRole('button', { name: 'Edit' }).click();
    await expect.poll(() => page.evaluate('document.activeElement.ariaLabel')).toMatch(/^Edit your message/);
  };

  it('is there again after a reload, takes no focus then, and is gone for good once it was sent', async () => {
    const { page, box } = await editing('say gamma');
    await page.reload();
    await box.waitFor();
    expect(await box.inputValue()).toBe('say gamma');
    await expect.poll(() => page.evaluate('document.activeElement.className')).toBe('composer-box');
    await page.getByRole('link', { name: 'Usage', exact: true }).first().click();
    await box.waitFor({ state: 'detached' });
    await page.goBack();
    await box.waitFor();
    expect(await box.inputValue()).toBe('say gamma');

    await page.getByRole('button', { name: 'Send again' }).click();
    await page.locator('.agent', { hasText: 'gamma' }).waitFor();
    await expect.poll(() => kept(page)).toEqual([]);
    await page.reload();
    await page.locator('.agent', { hasText: 'gamma' }).waitFor();
    expect(await box.count()).toBe(0);
  });

  it('is gone once it was cancelled, and nothing is kept of what was not changed', async () => {
    const { page, box } = await editing('say gamma');
    expect(await kept(page)).toHaveLength(1);
    await box.press('Escape');
    await box.waitFor({ state: 'detached' });
    expect(await kept(page)).toEqual([]);
    await edit(page, 'say beta');
    expect(await kept(page)).toEqual([]);
    await page.reload();
    await page.locator('.user', { hasText: 'say beta' }).waitFor();
    expect(await box.count()).toBe(0);
  });

  it('waits on its own branch, and is not shown on another', async () => {
    const { page, box, session } = await editing('say gamma');
    const params = { session_id: session.id };
    const { items } = await stage.house.client.listItems({ params, query: { limit: 60 } });
    const answer = items.find((item) => item.kind === 'agent_message');
    await stage.house.client.fork({ params, body: { ...(answer && { at_item: answer.id }) } });
    await box.waitFor({ state: 'detached' });
    await page.reload();
    await page.locator('.agent', { hasText: 'alpha' }).waitFor();
    await stage.house.client.activateConversation({ params, body: { id: session.conversation_id } });
    await box.waitFor();
    expect(await box.inputValue()).toBe('say gamma');
    expect(await composer(page).inputValue()).toBe('');
  });

  it('goes into the message box when its message is nowhere any more', async () => {
    const session = await stage.house.session();
    const page = await stage.page();
    await page.evaluate(`localStorage.setItem('maestro.edit.${session.id}.itm_gone', 'say gamma')`);
    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await expect.poll(() => composer(page).inputValue()).toBe('say gamma');
    expect(await kept(page)).toEqual([]);
  });

  it('is there again after a reload for a message that waits, or in the message box when that went out', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write 900 words at 40 tokens per second');
    await stopButton(page).waitFor();
    const queue = page.getByRole('region', { name: 'Waiting messages' });
    await say(page, 'say one');
    await queue.getByRole('button', { name: 'Edit' }).click();
    const box = queue.getByLabel('Edit the waiting message');
    await box.fill('say one and more');
    await page.reload();
    await box.waitFor();
    expect(await box.inputValue()).toBe('say one and more');
    await page.goto(stage.house.server.url);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    const params = { session_id: session.id };
    const [entry] = (await stage.house.client.getQueue({ params })).queue;
    if (!entry) throw new Error('nothing waits');
    await stage.house.client.deleteQueued({ params: { ...params, id: entry.id } });
    await page.goBack();
    await expect.poll(() => composer(page).inputValue()).toBe('say one and more');
    expect(await kept(page)).toEqual([]);
  });

  it('goes with its session when that is deleted here', async () => {
    const { page, session } = await editing('say gamma');
    await composer(page).fill('more');
    await page.goto(stage.house.server.url);
    const card = page.locator('li', { has: page.locator(`a[href="/sessions/${session.id}"]`) });
    await card.getByRole('button', { name: /^Delete/ }).click();
    await page.getByLabel(/Type “delete”/).fill('delete');
    await page.getByRole('button', { name: 'Delete session' }).click();
    await expect
      .poll(() => page.evaluate(`Object.keys(localStorage).filter((key) => key.includes('${session.id}'))`))
      .toEqual([]);
  });
});
