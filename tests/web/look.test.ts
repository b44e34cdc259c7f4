import { AxeBuilder } from '@axe-core/playwright';
import type { LoginMethod, LoginProvider } from '@maestro/protocol';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

/** Both themes at both sizes. */
const looks = (['light', 'dark'] as const).flatMap((colorScheme) => [
  { colorScheme, width: 1440, height: 900 },
  { colorScheme, width: 1024, height: 768 },
]);

const violations = async (page: Page): Promise<string[]> => {
  const found = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    .analyze();
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('; ')}`,
  );
};

/** Checks the page as it stands in every look. MAESTRO_SHOTS names a folder for pictures of them, to be looked at. */
const checkLooks = async (page: Page, name: string, which = looks): Promise<void> => {
  for (const { colorScheme, width, height } of which) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    const folder = process.env['MAESTRO_SHOTS'];
    if (folder) await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png` });
    expect(await violations(page), `${name}, ${colorScheme}, ${width}`).toEqual([]);
  }
};

describe('accessible in both themes and at both sizes (W10)', () => {
  let stage: Stage;
  const paths: Record<string, string> = {};
  beforeAll(async () => {
    stage = await startStage();
    const folder = stage.house.folder({ 'notes.txt': 'hello\n' });
    const chat = await stage.house.session({ title: 'Refactor the event store', working_directory: folder });
    for (const text of ['show me markdown', 'edit notes.txt replace hello by goodbye', 'run echo hello'])
      (await stage.house.ask(chat.id, text)).close();
    const failed = await stage.house.session({ title: 'A key that is refused' });
    (await stage.house.ask(failed.id, 'fail with 401')).close();
    const asking = await stage.house.session({ title: 'Write the release notes', access_mode: 'ask' });
    await stage.house.client.sendMessage({
      params: { session_id: asking.id },
      body: { text: 'write hello to notes.txt' },
    });
    paths['chat'] = `/sessions/${chat.id}`;
    paths['failed'] = `/sessions/${failed.id}`;
    paths['asking'] = `/sessions/${asking.id}`;
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('the way in', async () => {
    const page = await stage.stranger();
    await page.getByRole('heading', { name: 'This browser is not signed in' }).waitFor();
    await checkLooks(page, 'entry');
  });

  it('dashboard, form and dialog', async () => {
    const page = await stage.page();
    await page.locator('.card').nth(2).waitFor();
    await page.getByText(/^\d+ MB$/).waitFor();
    await checkLooks(page, 'dashboard');
    await page.getByRole('button', { name: 'New session' }).click();
    await page.getByRole('dialog').getByLabel('Working directory').waitFor();
    await checkLooks(page, 'new');
    await page.getByRole('dialog').getByLabel('Provider', { exact: true }).selectOption('compatible');
    await page.getByRole('button', { name: 'OpenRouter' }).click();
    await checkLooks(page, 'new-service', looks.slice(1, 3));
    await page.keyboard.press('Escape');
    await page.locator('.card', { hasText: 'A key' }).getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Type “delete” to confirm').waitFor();
    await checkLooks(page, 'delete');
  });

  it('chat, opened tool calls and the details drawer', async () => {
    const page = await stage.page({ path: paths['chat'] });
    await page.locator('.tool-line').last().waitFor();
    await checkLooks(page, 'chat');
    await checkLooks(page, 'chat', [{ colorScheme: 'light', width: 3840, height: 2160 }]);
    await checkLooks(page, 'chat', looks.slice(1, 2));
    for (const line of await page.locator('.tool-line').all()) await line.click();
    await page.locator('.tool-part').first().waitFor();
    await checkLooks(page, 'tools');
    await page.getByRole('button', { name: 'Show session details' }).click();
    await page.getByRole('dialog').getByText('Usage').waitFor();
    await checkLooks(
      page,
      'drawer',
      looks.filter(({ width }) => width < 1180),
    );
  }, 90_000);

  it('keys: providers, saved keys, a refusal and the dialog', async () => {
    await stage.house.client.createCredential({
      body: { provider: 'openai', name: 'work', api_key: 'sk-good-key-1234' },
    });
    await stage.house.client.createCredential({
      body: { provider: 'gemini', name: 'old one', api_key: 'gm-revoked-key-4321' },
    });
    const page = await stage.page({ path: '/auth' });
    await page.getByText('Refused').waitFor();
    await page.getByRole('button', { name: 'Test OpenAI, work' }).click();
    await page.locator('.table-note .good').waitFor();
    await page.getByLabel('Key', { exact: true }).fill('sk-wrong-key-9999');
    await page.keyboard.press('Enter');
    await page.locator('.add-key .field-error').waitFor();
    await page.getByText(/known services/).click();
    await checkLooks(page, 'keys');
    await page.getByRole('button', { name: 'More of OpenAI, work' }).click();
    await checkLooks(page, 'keys-more', looks.slice(1, 3));
    await page.getByRole('button', { name: 'Delete OpenAI, work' }).click();
    await page.getByLabel('Type “work” to confirm').waitFor();
    await checkLooks(page, 'keys-delete', looks.slice(0, 1));
  });

  it('logins: the terms, each way, and one that failed', async () => {
    const { client, simulator } = stage.house;
    const page = await stage.page({ path: '/auth' });
    await page.getByRole('button', { name: 'Log in with your ChatGPT account' }).click();
    await page.getByRole('button', { name: 'Start the login' }).click();
    await page.getByText(/Read the notice and tick this box/).waitFor();
    await checkLooks(page, 'login-terms');
    await page.keyboard.press('Escape');
    const start = (provider: LoginProvider, method: LoginMethod) =>
      client.startLogin({ params: { provider }, body: { method, acknowledge_terms: true } });
    await start('openai', 'device');
    await start('gemini', 'callback');
    simulator.logins.configure({ person: 'denies' });
    const { url } = await start('anthropic', 'callback');
    await page.locator('.user-code').waitFor();
    await fetch(url);
    simulator.logins.configure({ person: 'approves' });
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    await checkLooks(page, 'logins');
  });

  it('branches', async () => {
    const session = await stage.house.session({ title: 'Two ways to say it' });
    for (const text of ['say alpha', 'show me markdown']) (await stage.house.ask(session.id, text)).close();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    const last = page.locator('.agent').last();
    await last.hover();
    await last.getByRole('button', { name: 'Retry' }).click();
    const branches = page.getByRole('button', { name: /^Branch 2 of 2/ });
    await branches.waitFor();
    await stopButton(page).waitFor({ state: 'detached' });
    await branches.click();
    await page.getByRole('menuitemradio').nth(1).waitFor();
    await checkLooks(page, 'branches');
  });

  it('waiting messages, one of them edited', async () => {
    const session = await stage.house.session({ title: 'Much to say' });
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write 3000 words at 30 tokens per second');
    await stopButton(page).waitFor();
    for (const text of ['Then run the tests', 'And write the notes', 'Say when you are done']) {
      await say(page, text);
      await page.locator('.queue').getByText(text).waitFor();
    }
    await page.locator('.queue-entry').first().getByRole('button', { name: 'Edit' }).click();
    await checkLooks(page, 'queue');
    await stopButton(page).click();
  });

  it('usage', async () => {
    const page = await stage.page({ path: '/usage?by=activity' });
    await page.locator('.bar-value').first().waitFor();
    await checkLooks(page, 'usage');
  });

  it('approval', async () => {
    const page = await stage.page({ path: paths['asking'] });
    await page.locator('.ask').waitFor();
    await checkLooks(page, 'asking');
  });

  it('failure', async () => {
    const page = await stage.page({ path: paths['failed'] });
    await page.locator('.notice.error').waitFor();
    await checkLooks(page, 'failed');
  });

  it('brings along what the oldest supported browsers lack', async () => {
    const session = await stage.house.session();
    (await stage.house.ask(session.id, 'say alpha')).close();
    const page = await stage.page();
    await page.addInitScript(`
      for (const name of ['at', 'toSorted', 'findLast', 'findLastIndex']) delete Array.prototype[name];
      delete String.prototype.at;
      delete Object.hasOwn;`);
    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await page.locator('.agent', { hasText: 'alpha' }).waitFor();
    expect(await page.evaluate("[Object.hasOwn({ a: 1 }, 'a'), Object.hasOwn({}, 'a')]")).toEqual([
      true,
      false,
    ]);
    expect(await page.evaluate('[1, 2, 3].findLast((one) => one < 3)')).toBe(2);
  });

  it('keeps a chosen theme over a reload', async () => {
    const page = await stage.page({ theme: 'light' });
    await page.getByRole('button', { name: 'Use the dark theme' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Use the light theme' }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 24, 26)');
  });

  it('works by keyboard alone, from the dashboard to an answer', async () => {
    const session = await stage.house.session({ title: 'Reached by keys' });
    const page = await stage.page();
    await page.locator('.card', { hasText: 'Reached by keys' }).waitFor();
    for (let press = 0; press < 40; press += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.textContent')) === 'Reached by keys') break;
    }
    await page.keyboard.press('Enter');
    await page.getByText('What should be done?').waitFor();
    expect(page.url()).toContain(session.id);
    await page.keyboard.type('say no mouse was used');
    await page.keyboard.press('Enter');
    await page.locator('.agent', { hasText: 'no mouse was used' }).waitFor();
  });

  it('shows drawers in place of the side panes when it is narrow', async () => {
    const page = await stage.page({ width: 800, height: 700, path: paths['chat'] });
    await page.getByRole('button', { name: 'Show sessions' }).click();
    await page
      .getByRole('dialog')
      .getByRole('link', { name: /Write the release notes/ })
      .click();
    await page.locator('.ask').waitFor();
    await say(page, 'say next');
  });

  it('runs without what Chrome 90 and Safari 14 lack', async () => {
    const session = await stage.house.session();
    const page = await stage.stranger();
    await page.addInitScript(`
      delete Array.prototype.at; delete String.prototype.at; delete Array.prototype.toSorted;
      delete Array.prototype.findLast; delete Object.hasOwn; delete Crypto.prototype.randomUUID;
      delete AbortSignal.timeout; delete AbortSignal.any; delete window.structuredClone;
      delete Promise.withResolvers; delete Object.groupBy; delete Array.prototype.toReversed;
    `);
    const { url } = await stage.house.client.browserCode();
    await page.goto('about:blank');
    await page.goto(url);
    await page.locator('.card').first().waitFor();
    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await say(page, 'say it works in an old browser');
    await page.locator('.agent', { hasText: 'it works in an old browser' }).waitFor();
  });
});
