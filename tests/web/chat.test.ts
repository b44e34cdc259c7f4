import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, say, startStage, stopButton } from './support.ts';

describe('the chat page (W5, W6, W7)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  it('streams thoughts and text, folds the thought when it ends, and keeps the own choice', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'think about fugues at 120 tokens per second');
    await page.getByRole('button', { name: /^Thinking…/ }).waitFor();
    await page.locator('.thought-body').getByText('Looking at fugues').waitFor();
    const folded = page.getByRole('button', { name: /^Thought/ });
    await folded.waitFor();
    expect(await folded.getAttribute('aria-expanded')).toBe('false');
    await page.locator('.agent', { hasText: 'It is worth thinking about.' }).waitFor();
    await folded.click();
    await page.locator('.thought-body').getByText('Weighing it').waitFor();
    await say(page, 'say again');
    await page.locator('.agent', { hasText: 'again' }).last().waitFor();
    expect(await folded.first().getAttribute('aria-expanded')).toBe('true');
  });

  it('shows a tool call with its state, its input and its changes; the file is there', async () => {
    const folder = stage.house.folder({ 'notes.txt': 'hello\nworld\n' });
    const session = await stage.house.session({ working_directory: folder });
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'edit notes.txt replace hello by goodbye');
    const call = page.getByRole('button', { name: /edit.*notes\.txt.*Done/ });
    await call.click();
    await page.locator('.diff-removed', { hasText: '-hello' }).waitFor();
    await page.locator('.diff-added', { hasText: '+goodbye' }).waitFor();
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('goodbye\nworld\n');
    await page.locator('.total-cost', { hasText: '$0.0' }).waitFor();
  });

  it('asks before a change, answers by Y while focused, and goes on', async () => {
    const folder = stage.house.folder();
    const session = await stage.house.session({ working_directory: folder, access_mode: 'ask' });
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write hello to notes.txt');
    const asked = page.getByRole('group', { name: 'Needs your approval: Write file' });
    await asked.getByRole('button', { name: 'Decline and stop : Write file' }).waitFor();
    await page.getByText('1 session needs you').waitFor();
    expect(await page.title()).toBe('(1) Maestro');
    await page.getByRole('button', { name: 'Go to the question' }).click();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('Allow once');
    await page.keyboard.press('y');
    await page.getByText('You allowed this once').waitFor();
    await page.locator('.agent', { hasText: 'Done.' }).waitFor();
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8').trim()).toBe('hello');
  });

  it('stops by Esc, keeps what had arrived, and resumes', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write 400 words about music at 60 tokens per second');
    const answer = page.locator('.agent .md').first();
    await expect.poll(() => answer.textContent()).toMatch(/\w+ \w+ \w+/);
    await page.keyboard.press('Escape');
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
    expect((await answer.textContent())?.length).toBeGreaterThan(5);
    await page.getByRole('button', { name: 'Resume' }).click();
    await stopButton(page).waitFor();
    await stopButton(page).click();
    await page.getByText('Stopped. What had arrived is kept.').waitFor();
  });

  it('queues while a turn runs, takes a message back into the box, and sends a held one now', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'write 300 words at 60 tokens per second');
    await stopButton(page).waitFor();
    await say(page, 'say this can wait');
    const queue = page.getByRole('region', { name: 'Waiting messages' });
    await queue.getByText('say this can wait').waitFor();
    await queue.getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toBe('say this can wait');
    await queue.waitFor({ state: 'detached' });
    await page.getByLabel('Message to the agent').press('Enter');
    await queue.getByText('say this can wait').waitFor();
    await page.keyboard.press('Escape');
    await queue.getByText('Not sent: the turn ended early').waitFor();
    await queue.getByRole('button', { name: 'Send now' }).click();
    await page.locator('.agent', { hasText: 'this can wait' }).waitFor();
    await queue.waitFor({ state: 'detached' });
  });

  it('loses nothing that was typed when the server refuses it', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.route('**/messages', (route) =>
      route.fulfill({
        status: 503,
        json: { error: { code: 'unavailable', message: 'The database is away.' } },
      }),
    );
    await say(page, 'a long and precious text');
    await page.getByText('Not sent: The database is away.').waitFor();
    const box = page.getByLabel('Message to the agent');
    expect(await box.inputValue()).toBe('a long and precious text');
    await page.reload();
    await page.getByLabel('Message to the agent').waitFor();
    expect(await box.inputValue()).toBe('a long and precious text');
    stage.complaints.length = 0;
  });

  it('sends a message once whose answer was lost, however often it is sent again', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    const box = page.getByLabel('Message to the agent');
    const loseAnAnswer = async () => {
      await page.route(
        '**/messages',
        async (route) => {
          await route.fetch();
          await route.abort();
        },
        { times: 1 },
      );
      await say(page, 'say once');
      await page.getByText(/^Not sent: Maestro does not answer/).waitFor();
      await expect.poll(() => box.inputValue()).toBe('say once');
    };
    const sent = async () => {
      await expect.poll(() => box.inputValue()).toBe('');
      await expect.poll(() => page.getByText(/^Not sent/).count()).toBe(0);
      await stopButton(page).waitFor({ state: 'detached' });
      const { items } = await stage.house.client.listItems({ params: { session_id: session.id } });
      return items.filter((item) => item.kind === 'user_message').length;
    };
    await loseAnAnswer();
    await page.locator('.agent', { hasText: 'once' }).waitFor();
    await box.press('Enter');
    expect(await sent()).toBe(1);
    // Typed anew, the same words are another message.
    await loseAnAnswer();
    await box.fill('');
    await say(page, 'say once');
    await page.locator('.agent').nth(2).waitFor();
    expect(await sent()).toBe(3);
    stage.complaints.length = 0;
  });

  it('says why a turn failed and what to do, and retries', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await say(page, 'fail once with 401');
    await page.getByText('The turn failed', { exact: true }).waitFor();
    expect(await page.locator('.notice.error .notice-remedy').textContent()).toMatch(/key/i);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('.agent', { hasText: 'This time it went well.' }).waitFor();
  });

  it('changes provider, model, effort and tools for the next message', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.getByLabel('Provider').selectOption('openai');
    await expect.poll(() => page.getByLabel('Model', { exact: true }).inputValue()).toMatch(/^gpt/);
    await page.getByLabel('Effort').selectOption('high');
    await page.getByLabel('run_shell_command').uncheck();
    await expect
      .poll(async () => (await stage.house.client.getSession({ params: { session_id: session.id } })).session)
      .toMatchObject({ provider: 'openai', effort: 'high', tools: { run_shell_command: false } });
    await say(page, 'say hello');
    await page.locator('.agent', { hasText: 'hello' }).waitFor();
    expect(stage.house.simulator.requests.at(-1)?.user_text).toBe('say hello');
  });

  it('keeps a switch as it was set while that is on its way, whatever else changes meanwhile', async () => {
    const session = await stage.house.session();
    const params = { session_id: session.id };
    const page = await stage.page({ path: `/sessions/${session.id}` });
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route(`**/api/v1/sessions/${session.id}`, async (route) => {
      if (route.request().method() === 'PATCH') await held;
      await route.continue();
    });
    const shell = page.getByLabel('run_shell_command');
    await shell.uncheck();
    await stage.house.client.patchSession({ params, body: { effort: 'high' } });
    await expect.poll(() => page.getByLabel('Effort').inputValue()).toBe('high');
    expect(await shell.isChecked()).toBe(false);
    letGo();
    const tools = async () => (await stage.house.client.getSession({ params })).session.tools;
    await expect.poll(tools).toMatchObject({ run_shell_command: false });
    await stage.house.client.patchSession({ params, body: { tools: { run_shell_command: true } } });
    await expect.poll(() => shell.isChecked()).toBe(true);
  });

  it('attaches a pasted picture and shows it in the message', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.getByLabel('Message to the agent').waitFor();
    const png =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob('${png}'), (char) => char.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], 'dot.png', { type: 'image/png' }));
      const paste = new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true });
      document.querySelector('.composer-box').dispatchEvent(paste);
    })()`);
    await page.locator('.chip', { hasText: 'dot.png' }).waitFor();
    await say(page, 'say what a dot');
    const picture = page.locator('.user img');
    await picture.waitFor();
    await expect.poll(() => page.evaluate("document.querySelector('.user img').naturalWidth")).toBe(1);
  });

  it('lists all sessions with their state, live, and stops one from the list (W8)', async () => {
    const other = await stage.house.session({ title: 'Busy elsewhere' });
    const session = await stage.house.session({ title: 'Where I am' });
    const page = await stage.page({ path: `/sessions/${session.id}` });
    const list = page.getByRole('navigation', { name: 'Sessions' });
    await list.getByRole('link', { name: /Where I am/, exact: false }).waitFor();
    await stage.house.client.sendMessage({
      params: { session_id: other.id },
      body: { text: 'write 500 words at 40 tokens per second' },
    });
    await list.getByRole('link', { name: /Busy elsewhere.*Working/ }).waitFor();
    await list.getByRole('button', { name: 'Stop Busy elsewhere' }).click();
    await list.getByRole('button', { name: 'Stop Busy elsewhere' }).waitFor({ state: 'detached' });
    await list.getByRole('link', { name: 'Archived sessions' }).click();
    await page.getByRole('heading', { name: 'Archived' }).waitFor();
  });

  it('goes on after the connection was lost, without a reload', async () => {
    const session = await stage.house.session();
    const page = await stage.page({ path: `/sessions/${session.id}` });
    await page.getByText('What should be done?').waitFor();
    await page.context().setOffline(true);
    await stage.house.ask(session.id, 'say you were away');
    await page.context().setOffline(false);
    await page.locator('.agent', { hasText: 'you were away' }).waitFor();
    stage.complaints.length = 0;
  });
});
