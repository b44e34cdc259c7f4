import { gzipSync } from 'node:zlib';
import type { Session } from '@maestro/protocol';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

const turns = 90;

/** How far the end of the history is below the lower edge of the view, px. */
const belowView = (page: Page): Promise<number> =>
  page.evaluate(`(() => {
    const scroller = document.querySelector('.transcript');
    return Math.round(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
  })()`);

/**
 * Notes after each paint where a row that is in view stands; `jumps` are moves of a row against the wheel of more
 * than 2 px. Positions are read after the paint: between frame and paint the virtual list still corrects itself.
 */
const watchJumps = `(() => {
  const scroller = document.querySelector('.transcript');
  const channel = new MessageChannel();
  const seen = { jumps: [], paints: 0, running: true };
  window.seenJumps = seen;
  let last = new Map();
  channel.port1.onmessage = () => {
    const now = new Map();
    const frame = scroller.getBoundingClientRect();
    for (const row of scroller.querySelectorAll('[data-item]')) {
      const box = row.getBoundingClientRect();
      if (box.bottom > frame.top && box.top < frame.bottom) now.set(row.dataset.item, box.top);
    }
    for (const [item, top] of now) {
      const before = last.get(item);
      if (before !== undefined && top < before - 2) seen.jumps.push(Math.round(top - before));
    }
    last = now;
    seen.paints += 1;
    if (seen.running) requestAnimationFrame(() => channel.port2.postMessage(0));
  };
  channel.port2.postMessage(0);
})()`;

describe('the transcript (W5, S6)', () => {
  let stage: Stage;
  let session: Session;
  beforeAll(async () => {
    stage = await startStage();
    session = await stage.house.session({ title: 'A long one' });
    for (let turn = 1; turn <= turns; turn += 1)
      (await stage.house.ask(session.id, `say turn ${turn}, ${'and more '.repeat(turn % 9)}`)).close();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('opens at the end and holds few rows in the page', async () => {
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.locator('.agent', { hasText: `turn ${turns},` }).waitFor();
    await expect.poll(() => belowView(page)).toBeLessThan(2);
    expect(await page.locator('[data-item]').count()).toBeLessThan(40);
  });

  it('loads older pages as the person scrolls up, to the first message, and no row jumps against the wheel', async () => {
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.locator('.agent', { hasText: `turn ${turns},` }).waitFor();
    await expect.poll(() => belowView(page)).toBeLessThan(2);
    await page.evaluate(watchJumps);
    await page.locator('.transcript').hover();
    const first = page.locator('.user', { hasText: /^say turn 1,/ });
    await expect
      .poll(
        async () => {
          for (let notch = 0; notch < 6; notch += 1) await page.mouse.wheel(0, -300);
          return first.isVisible();
        },
        { timeout: 20_000, interval: 50 },
      )
      .toBe(true);
    const seen: { jumps: number[]; paints: number } = await page.evaluate('window.seenJumps');
    expect(seen.paints).toBeGreaterThan(10);
    expect(seen.jumps).toEqual([]);
  });

  it('stays where the person reads while an answer streams, counts what is new, and jumps back', async () => {
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.locator('.agent', { hasText: `turn ${turns},` }).waitFor();
    await expect.poll(() => belowView(page)).toBeLessThan(2);
    await say(page, 'write 120 words about music at 100 tokens per second');
    await page.getByText('Writing…').waitFor();
    await page.locator('.transcript').hover();
    await page.mouse.wheel(0, -700);
    const jump = page.getByRole('button', { name: /^Jump to latest/ });
    await jump.waitFor();
    const scrollTop = () => page.evaluate("document.querySelector('.transcript').scrollTop");
    await expect.poll(scrollTop).toBe(await scrollTop());
    const there = await scrollTop();
    await stopButton(page).waitFor({ state: 'detached' });
    expect(await scrollTop()).toBe(there);
    await stage.house.ask(session.id, 'say something new');
    await page.getByRole('button', { name: /^Jump to latest, \d+ new/ }).click();
    await page.locator('.agent', { hasText: 'something new' }).waitFor();
    await expect.poll(() => belowView(page)).toBeLessThan(2);
    await expect.poll(() => jump.count()).toBe(0);
  });

  it('follows the end while an answer streams', async () => {
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.locator('.transcript').waitFor();
    await say(page, 'write 150 words about rivers at 200 tokens per second');
    await page.getByText('Writing…').waitFor();
    await stopButton(page).waitFor({ state: 'detached' });
    await expect.poll(() => belowView(page)).toBeLessThan(2);
    expect(await page.getByRole('button', { name: /^Jump to latest/ }).count()).toBe(0);
  });

  it('ships at most 200 KiB of script, compressed, for the first view of a chat (W10)', async () => {
    const page = await stage.page();
    // What the dashboard still asks for is not counted, nor what a calm page fetches ahead.
    await page.goto('about:blank');
    await page.addInitScript('window.requestIdleCallback = () => 0');
    const scripts = new Set<string>();
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.endsWith('.js')) scripts.add(pathname);
    });
    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await page.getByLabel('Message to the agent').waitFor();
    let total = 0;
    expect(scripts.size).toBeGreaterThan(2);
    for (const path of scripts) {
      const script = await (await stage.house.server.fetch(path)).text();
      total += gzipSync(script).length;
      expect(script, 'schemas stay in the server').not.toContain('ZodError');
    }
    expect(total).toBeGreaterThan(50 * 1024);
    expect(total).toBeLessThan(200 * 1024);
  });
});
