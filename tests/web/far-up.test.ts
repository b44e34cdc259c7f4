import type { Item, ItemId, SessionId } from '@maestro/protocol';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, startStage } from './support.ts';

/** Items put before the real ones, at positions below zero. */
const depth = 2600;

/** Gives a page a long past: answers for history below position 0 are made here, as the server would give them. */
const deepen = async (page: Page, pattern: Item): Promise<{ before: number; after: number }> => {
  const asked = { before: 0, after: 0 };
  const at = (position: number): Item => ({
    ...pattern,
    kind: 'user_message',
    id: `itm_old_${-position}` as ItemId,
    position,
    data: { text: `old ${-position} ${'and more '.repeat(-position % 40)}` },
  });
  const range = (from: number, to: number): Item[] => {
    const list: Item[] = [];
    for (let position = from; position < to; position += 1) list.push(at(position));
    return list;
  };
  await page.route('**/snapshot?*', async (route: Route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), has_older: true } });
  });
  await page.route('**/items?*', async (route: Route) => {
    const { searchParams } = new URL(route.request().url());
    const limit = Number(searchParams.get('limit'));
    const before = searchParams.get('before');
    if (before !== null) {
      asked.before += 1;
      const end = Math.min(Number(before), 0);
      const start = Math.max(end - limit, -depth);
      return route.fulfill({ json: { items: range(start, end), has_more: start > -depth } });
    }
    asked.after += 1;
    const after = Number(searchParams.get('after'));
    if (after < -1)
      return route.fulfill({
        json: { items: range(after + 1, Math.min(after + 1 + limit, 0)), has_more: true },
      });
    const real = new URL(route.request().url());
    if (after >= 0) {
      await expect.poll(() => page.evaluate(atItsEnd)).toBe(true);
      return route.fulfill({ response: await route.fetch() });
    }
    // It says that there is more, and the one after it is empty, and late: who scrolls has come to the end by then.
    real.searchParams.delete('after');
    const response = await route.fetch({ url: real.href });
    return route.fulfill({ response, json: { ...(await response.json()), has_more: true } });
  });
  return asked;
};

const atItsEnd = `(() => {
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.transcript');
  return scrollHeight - scrollTop - clientHeight < 2;
})()`;

const rowsHeld = (page: Page): Promise<number> =>
  page.evaluate("Number(document.querySelector('.transcript').dataset.rows)");

/** Scrolls by the wheel until something holds; notes the most rows held on the way. */
const wheelUntil = async (page: Page, notch: number, holds: () => Promise<boolean>): Promise<number> => {
  let most = 0;
  await expect
    .poll(
      async () => {
        for (let times = 0; times < 4; times += 1) await page.mouse.wheel(0, notch);
        most = Math.max(most, await rowsHeld(page));
        return holds();
      },
      { timeout: 60_000, interval: 10 },
    )
    .toBe(true);
  return most;
};

describe('reading far up (S6, W5)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('holds at most about 1,500 rows whatever is read, and finds the way down again, by scrolling and by a jump', async () => {
    const session = await stage.house.session();
    for (const text of ['say the first', 'say the last']) (await stage.house.ask(session.id, text)).close();
    const { items } = await stage.house.client.listItems({
      params: { session_id: session.id },
      query: { limit: 60 },
    });
    const pattern = items.find((item) => item.kind === 'user_message');
    if (!pattern) throw new Error('The session has no message.');
    const page = await stage.page();
    const asked = await deepen(page, pattern);
    await page.goto(`${stage.house.server.url}/sessions/${session.id satisfies SessionId}`);
    await page.locator('.agent', { hasText: 'the last' }).waitFor();
    await page.locator('.transcript').hover();

    const oldest = page.locator(`[data-item="itm_old_${depth}"]`);
    const up = await wheelUntil(page, -6000, () => oldest.isVisible());
    expect(asked.before).toBeGreaterThan(30);
    expect(up).toBeLessThanOrEqual(1500 + 80);
    expect(up).toBeGreaterThan(1300);

    // What comes meanwhile is passed over, and is there on the way back.
    (await stage.house.ask(session.id, 'say something new')).close();
    expect(await rowsHeld(page)).toBeLessThanOrEqual(1500 + 80);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await page.locator('.agent', { hasText: 'something new' }).waitFor();
    expect(await rowsHeld(page)).toBeLessThan(200);

    // The pointer rests where the button comes back.
    await wheelUntil(page, -6000, () => oldest.isVisible());
    const back = page.getByRole('button', { name: /^Jump to latest/ });
    const down = await wheelUntil(page, 6000, async () => (await back.count()) === 0);
    expect(asked.after).toBeGreaterThan(5);
    expect(down).toBeLessThanOrEqual(1500 + 80);
    await page.locator('.agent', { hasText: 'something new' }).waitFor();
    (await stage.house.ask(session.id, 'say and live again')).close();
    await page.locator('.agent', { hasText: 'and live again' }).waitFor();
  }, 150_000);
});
