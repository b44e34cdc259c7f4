import type { CredentialId, LoginProvider } from '@maestro/protocol';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { controlsOf, credentialRow, type Stage, say, startStage } from './support.ts';

/** What a person brings back who logs in elsewhere: the code that is shown, or the address the browser is sent to. */
const answerOf = async (url: string): Promise<string> => {
  const answer = await fetch(url, { redirect: 'manual' });
  const page = await answer.text();
  return /<code id="code">([^<]+)/.exec(page)?.[1] ?? answer.headers.get('location') ?? `no code on: ${page}`;
};

const addressOf = (page: Page, vendor: string): Promise<string> =>
  page.getByLabel(`Address to log in with your ${vendor}`).inputValue();

const begin = async (page: Page, vendor: string, method: string, name: string): Promise<void> => {
  await page.getByRole('button', { name: `Log in with your ${vendor}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Start the login' }).waitFor();
  const terms = dialog.getByRole('checkbox');
  if ((await terms.count()) > 0) await terms.check();
  await dialog.getByRole('radio', { name: method }).check();
  await dialog.getByLabel('Name (optional)').fill(name);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
};

describe('logins with an account (W1, P8)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.complaints).toEqual([]);
  });

  afterEach(async () => {
    const { client, simulator } = stage.house;
    simulator.logins.configure({ person: 'approves' });
    for (const { id, state } of (await client.logins()).flows)
      if (state === 'waiting') await client.cancelLogin({ params: { flow_id: id } });
  });

  /** A login that is there, made without the page. */
  const loggedIn = async (provider: LoginProvider, name: string): Promise<CredentialId> => {
    const { flow_id, url } = await stage.house.client.startLogin({
      params: { provider },
      body: { method: 'paste', name, acknowledge_terms: true },
    });
    const { credential } = await stage.house.client.completeLogin({
      params: { flow_id },
      body: { code: await answerOf(url) },
    });
    return credential.id;
  };

  it('begins after the terms were acknowledged, refuses a wrong state and keeps what was typed, and ends in a saved login', async () => {
    const page = await stage.page({ path: '/auth' });
    await page.getByRole('button', { name: 'Log in with your Claude account' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('link', { name: /vendor.s terms/ }).waitFor();
    await dialog.getByRole('radio', { name: 'Paste the answer' }).check();
    await dialog.getByLabel('Name (optional)').fill('team');
    await dialog.getByRole('button', { name: 'Start the login' }).click();
    await dialog.getByText(/Read the notice and tick this box/).waitFor();
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: 'Start the login' }).click();

    const open = page.getByRole('link', { name: 'Open the page' });
    await expect.poll(() => open.evaluate((link) => link === document.activeElement)).toBe(true);
    const [vendor] = await Promise.all([page.waitForEvent('popup'), page.keyboard.press('Enter')]);
    const code = (await vendor.locator('#code').textContent()) ?? '';
    expect(code).toMatch(/^.+#.+$/);

    const box = page.getByLabel('Code or address');
    const finish = page.getByRole('button', { name: 'Finish' });
    await finish.click();
    await page.getByText('Paste what the vendor gave you here.').waitFor();
    const wrong = `${code.split('#')[0]}#another-state-altogether`;
    await box.fill(wrong);
    await box.press('Enter');
    const problem = page.locator('.login').getByRole('alert');
    await expect.poll(() => problem.textContent()).toMatch(/state/);
    expect(await box.inputValue()).toBe(wrong);
    stage.complaints.length = 0;

    // Live news of credentials, and a visit elsewhere, leave it typed.
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByRole('heading', { name: 'Usage' }).waitFor();
    await page.getByRole('link', { name: 'Keys & accounts' }).click();
    expect(await box.inputValue()).toBe(wrong);

    await box.fill(code);
    await box.press('Enter');
    await page.getByText(/“team” is logged in/).waitFor();
    const row = credentialRow(page, 'team');
    await row.getByText('Valid').waitFor();
    await row.getByText(/^in \d+ (min|h|days)$/).waitFor();
    await row.getByText('default').waitFor();
    expect(await page.content()).not.toContain(code.split('#')[0]);

    await page.getByRole('button', { name: 'Close the login with your Claude account' }).click();
    await page.getByText(/“team” is logged in/).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Log in with your Claude account' }).click();
    await dialog.getByRole('link', { name: /vendor.s terms/ }).waitFor();
    expect(await dialog.getByRole('checkbox').count()).toBe(0);
  });

  it('comes back to a port of this machine, and every open page sees how far it is', async () => {
    const [page, other] = await Promise.all([stage.page({ path: '/auth' }), stage.page({ path: '/auth' })]);
    await begin(page, 'ChatGPT account', 'Come back by itself', 'by callback');
    await other.locator('.login').getByText('Waiting for you').waitFor();
    expect(await addressOf(other, 'ChatGPT account')).toBe(await addressOf(page, 'ChatGPT account'));
    const [vendor] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: 'Open the page' }).click(),
    ]);
    await vendor.getByRole('heading').waitFor();
    expect(new URL(vendor.url()).hostname).toBe('localhost');
    for (const each of [page, other]) {
      await each.locator('.login').getByText('Done', { exact: true }).waitFor();
      await credentialRow(each, 'by callback').getByText('Valid').waitFor();
    }
  });

  it('shows a device its code, and ends by itself when the code was typed', async () => {
    stage.house.simulator.logins.configure({ device_interval_s: 0 });
    const page = await stage.page({ path: '/auth' });
    await begin(page, 'ChatGPT account', 'Type a code there', 'by device');
    const code = (await page.locator('.user-code').textContent()) ?? '';
    expect(stage.house.simulator.logins.approve(code)).toBe(true);
    await credentialRow(page, 'by device').getByText('Valid').waitFor();
  });

  it('says why a login failed, and begins it again', async () => {
    const { logins } = stage.house.simulator;
    const page = await stage.page({ path: '/auth' });
    await begin(page, 'Claude account', 'Come back by itself', 'never');
    logins.configure({ person: 'denies' });
    await fetch(await addressOf(page, 'Claude account'));
    logins.configure({ person: 'approves' });
    const panel = page.locator('.login');
    await panel.getByText('Failed', { exact: true }).waitFor();
    expect((await panel.locator('.field-error').textContent())?.length).toBeGreaterThan(20);
    await panel.getByRole('button', { name: 'Start again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start the login' }).click();
    await panel.getByText('Waiting for you').waitFor();
    await panel.getByRole('button', { name: 'Cancel the login with your Claude account' }).click();
    await panel.waitFor({ state: 'detached' });
    expect(await credentialRow(page, 'never').count()).toBe(0);
  });

  it('goes on waiting where the vendor could not be asked, with the reason and what was typed', async () => {
    const { logins } = stage.house.simulator;
    const [page, other] = await Promise.all([stage.page({ path: '/auth' }), stage.page({ path: '/auth' })]);
    await begin(page, 'Claude account', 'Paste the answer', 'second try');
    const code = await answerOf(await addressOf(page, 'Claude account'));
    logins.fail('anthropic', { kind: 'status', status: 503 });
    const box = page.getByLabel('Code or address');
    await box.fill(code);
    await box.press('Enter');
    for (const each of [page, other]) await each.locator('.login .field-error').waitFor();
    expect(await box.inputValue()).toBe(code);
    await box.press('Enter');
    await credentialRow(page, 'second try').getByText('Valid').waitFor();
    // The browser itself reports the refused request.
    stage.complaints.length = 0;
  });

  it('is given up in one page and gone in the other, and tells when its time is over', async () => {
    const [page, other] = await Promise.all([stage.page({ path: '/auth' }), stage.page({ path: '/auth' })]);
    await begin(page, 'Claude account', 'Paste the answer', 'given up');
    await other.getByRole('button', { name: 'Cancel the login with your Claude account' }).click();
    await page.locator('.login').waitFor({ state: 'detached' });

    await begin(page, 'Claude account', 'Paste the answer', 'too late');
    await page.getByText(/^14 min left$/).waitFor();
    await page.clock.setFixedTime(Date.now() + 16 * 60_000);
    const panel = page.locator('.login');
    await panel.getByText('Expired', { exact: true }).waitFor();
    await panel.getByRole('button', { name: 'Start again' }).waitFor();
    expect(await panel.getByRole('link').count()).toBe(0);
    await other.getByRole('button', { name: 'Cancel the login with your Claude account' }).click();
    await other.locator('.login').waitFor({ state: 'detached' });
  });

  it('calls every control of two logins of one vendor differently, of the same name too (W10)', async () => {
    const page = await stage.page({ path: '/auth' });
    for (const name of ['twin', 'twin', 'other'])
      await begin(page, 'Claude account', 'Paste the answer', name);
    await begin(page, 'ChatGPT account', 'Type a code there', 'twin');
    const logins = page.getByRole('region', { name: 'Logins' });
    await expect.poll(() => logins.locator('.login').count()).toBe(4);
    const controls = await controlsOf(logins);
    expect(controls.length).toBeGreaterThan(20);
    expect(new Set(controls).size).toBe(controls.length);
    for (const name of ['twin', 'twin (2)', 'other'])
      expect(controls).toContain(`button "Finish the login with your Claude account: ${name}"`);
    await logins.getByRole('button', { name: 'Cancel the login with your Claude account: twin (2)' }).click();
    await expect.poll(() => logins.locator('.login').count()).toBe(3);
    const left = (await stage.house.client.logins()).flows.filter(({ state }) => state === 'waiting');
    expect(left.map(({ name }) => name).toSorted()).toEqual(['other', 'twin', 'twin']);
  });

  it('shows a refresh in every page while it runs (P9)', async () => {
    await loggedIn('anthropic', 'refreshed');
    const { logins } = stage.house.simulator;
    const [page, other] = await Promise.all([stage.page({ path: '/auth' }), stage.page({ path: '/auth' })]);
    logins.fail('anthropic', { kind: 'stall' });
    await credentialRow(page, 'refreshed').getByRole('button', { name: /^More/ }).click();
    await page.getByRole('button', { name: 'Refresh now Anthropic, refreshed' }).click();
    for (const each of [page, other])
      await credentialRow(each, 'refreshed').getByText('Refreshing…').waitFor();
    // It says so before it has asked the vendor.
    const { requests } = stage.house.simulator;
    await expect.poll(() => requests.some(({ ending }) => ending === 'stalled')).toBe(true);
    logins.release();
    for (const each of [page, other]) await credentialRow(each, 'refreshed').getByText('Valid').waitFor();
  });

  it('leads from a turn that failed for a login that is over to that login, and back to work (P9)', async () => {
    const id = await loggedIn('openai', 'worn out');
    const { client, simulator } = stage.house;
    await client.patchCredential({ params: { id }, body: { is_default: true } });
    const session = await stage.house.session({ provider: 'openai', auth_type: 'oauth' });
    const page = await stage.page({ path: `/sessions/${session.id}` });
    simulator.logins.revoke('openai');
    simulator.logins.expire('openai');
    await say(page, 'say it is me');
    await page.getByRole('link', { name: 'Keys & accounts , 1 login is over' }).waitFor();
    await page.locator('.notice.error').getByRole('link', { name: 'Log in again' }).click();

    const again = page.getByRole('button', { name: 'Log in again: OpenAI, worn out' });
    await expect.poll(() => again.evaluate((button) => button === document.activeElement)).toBe(true);
    const row = credentialRow(page, 'worn out');
    await row.getByText('Needs a login').waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Log in again with your ChatGPT account: worn out' }).waitFor();
    expect(await dialog.getByLabel('Name (optional)').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Start the login' }).click();
    await fetch(await addressOf(page, 'ChatGPT account'));
    await row.getByText('Valid').waitFor();
    await page.getByRole('link', { name: 'Keys & accounts', exact: true }).waitFor();

    await page.goto(`${stage.house.server.url}/sessions/${session.id}`);
    await say(page, 'say back at work');
    await page.locator('.agent', { hasText: 'back at work' }).waitFor();
  });

  it('renames, pauses and makes default by keyboard, and deletes after the name was typed', async () => {
    await loggedIn('anthropic', 'spare');
    const page = await stage.page({ path: '/auth' });
    const press = async (name: string): Promise<void> => {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    };
    await press('More of Anthropic, spare');
    await press('Make default Anthropic, spare');
    const row = credentialRow(page, 'spare');
    await row.getByText('default').waitFor();
    await press('Pause Anthropic, spare');
    await row.getByText('Paused').waitFor();
    await press('Resume Anthropic, spare');
    await row.getByText('Valid').waitFor();
    await press('Edit Anthropic, spare');
    const name = page.getByRole('dialog').getByLabel('Name', { exact: true });
    await name.fill('team');
    await page.keyboard.press('Enter');
    await page.locator('.dialog .field-error').waitFor();
    expect(await name.inputValue()).toBe('team');
    await name.fill('renamed');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await credentialRow(page, 'renamed').waitFor();
    await press('Delete Anthropic, renamed');
    await page.getByLabel('Type “renamed” to confirm').fill('renamed');
    await page.keyboard.press('Enter');
    await credentialRow(page, 'renamed').waitFor({ state: 'detached' });
    // The browser itself reports the refused name.
    stage.complaints.length = 0;
  });

  it('says before a login is deleted what else may end at the vendor, and after it what became of it there', async () => {
    const { logins } = stage.house.simulator;
    const page = await stage.page({ path: '/auth' });
    const remove = async (
      provider: LoginProvider,
      called: string,
      unticks = false,
    ): Promise<string | null> => {
      await loggedIn(provider, 'leaving');
      const name = `${called}, leaving`;
      await page.getByRole('button', { name: `More of ${name}` }).click();
      await page.getByRole('button', { name: `Delete ${name}` }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Type “leaving” to confirm').fill('leaving');
      expect(await dialog.getByRole('checkbox', { name: /End it at the vendor too/ }).count()).toBe(
        provider === 'anthropic' ? 0 : 1,
      );
      if (provider === 'openai') await dialog.getByText(/Codex logs in by the same entry/).waitFor();
      if (unticks) await dialog.getByRole('checkbox').uncheck();
      await dialog.getByRole('button', { name: 'Delete login' }).click();
      await credentialRow(page, 'leaving').waitFor({ state: 'detached' });
      await dialog.waitFor({ state: 'detached' });
      const outcome = page.locator('.banner[role=status]');
      await expect.poll(() => outcome.evaluate((note) => note === document.activeElement)).toBe(true);
      return outcome.textContent();
    };
    expect(await remove('openai', 'OpenAI')).toBe(
      'leaving: Deleted here, and the login is over at the vendor.',
    );
    expect(logins.families.at(-1)?.revoked).toBe(true);
    expect(await remove('openai', 'OpenAI', true)).toMatch(/Deleted here only.*chatgpt\.com/);
    expect(logins.families.at(-1)?.revoked).toBe(false);
    logins.configure({ revoking: 'fails' });
    expect(await remove('gemini', 'Gemini')).toMatch(/not certain.*503.*myaccount\.google\.com/);
    logins.configure({ revoking: 'works' });
    expect(await remove('anthropic', 'Anthropic')).toMatch(/documents no way.*claude\.ai/);
  });

  it('takes the right code after a wrong one, and shows a login no more as done that was deleted', async () => {
    const page = await stage.page({ path: '/auth' });
    await begin(page, 'ChatGPT account', 'Paste the answer', 'short');
    await page.getByRole('heading', { name: 'ChatGPT account: short' }).waitFor();
    const box = page.getByLabel('Code or address');
    await box.fill('what else was in the clipboard');
    await box.press('Enter');
    await page.locator('.login .field-error', { hasText: 'did not accept the code' }).waitFor();
    const back = await answerOf(await addressOf(page, 'ChatGPT account'));
    await box.fill(back.replace('http://', ''));
    await box.press('Enter');
    await page.getByText(/“short” is logged in/).waitFor();
    const { credentials } = await stage.house.client.credentials();
    const id = credentials.find(({ name }) => name === 'short')?.id;
    if (!id) throw new Error('It was not saved.');
    await credentialRow(page, 'short').waitFor();
    await stage.house.client.deleteCredential({ params: { id }, query: {} });
    await credentialRow(page, 'short').waitFor({ state: 'detached' });
    await page.getByText(/logged in/i).waitFor({ state: 'detached' });
    // The browser itself reports the refused code.
    stage.complaints.length = 0;
  });

  it('logs in by keyboard alone', async () => {
    const page = await stage.page({ path: '/auth' });
    await page.getByRole('button', { name: 'Log in with your Claude account' }).waitFor();
    const tabTo = async (words: RegExp): Promise<void> => {
      for (let press = 0; press < 80; press += 1) {
        await page.keyboard.press('Tab');
        const here = await page.evaluate(
          'document.activeElement.getAttribute("aria-label") ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent',
        );
        if (words.test(String(here))) return;
      }
      throw new Error(`Tab never came to ${words}`);
    };
    await tabTo(/^Log in with your Claude account$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    if ((await page.getByRole('checkbox').count()) > 0) {
      await tabTo(/^I have read this/);
      await page.keyboard.press('Space');
    }
    await tabTo(/^(Come back|Paste the answer)/);
    await page.keyboard.press('ArrowDown');
    if (!(await page.getByRole('radio', { name: 'Paste the answer' }).isChecked()))
      await page.keyboard.press('ArrowDown');
    await tabTo(/^Name/);
    await page.keyboard.type('by keys');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByLabel('Address to log in with your Claude account').waitFor();
    await tabTo(/^Address to log in/);
    const code = await answerOf(await addressOf(page, 'Claude account'));
    await tabTo(/^Code/);
    await page.keyboard.type(code);
    await page.keyboard.press('Enter');
    await credentialRow(page, 'by keys').getByText('Valid').waitFor();
  });
});

describe('what a login lacks (W1, P8)', () => {
  it('is said in words, and the login cannot be started', async () => {
    await using stage = await startStage({
      env: {
        MAESTRO_OAUTH_GEMINI_CLIENT_SECRET: undefined,
        MAESTRO_OAUTH_GEMINI_CLIENT_ID: undefined,
        PATH: '/usr/bin',
      },
    });
    const page = await stage.page({ path: '/auth' });
    await page.getByText('Needs a setting first').waitFor();
    await page.getByRole('button', { name: 'Log in with your Google account' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/client secret/).waitFor();
    expect(await dialog.getByRole('button', { name: 'Start the login' }).isDisabled()).toBe(true);
  });
});
