import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { say, startStage } from '../web/support.ts';
import { fakeClaude } from './support/claude-code.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('claude-page');
});
afterEach(() => removeFolder(folder));

describe('Claude Code on the page (P11, P14)', () => {
  it('is offered with what to do where it is not installed', async () => {
    await using stage = await startStage();
    const page = await stage.page();
    const choice = page.getByLabel('Provider', { exact: true });
    await choice.locator('option', { hasText: 'Claude Code (not installed)' }).waitFor({ state: 'attached' });
    await choice.selectOption('claude_code');
    await page.getByText(/Install Claude Code, for example with npm install -g/).waitFor();
    expect(await page.getByLabel('Address (optional)').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Add a key' }).count()).toBe(0);
  });

  it('takes a session that is made in the form, and is named above it', async () => {
    const env = { MAESTRO_CLAUDE_PATH: fakeClaude(folder), FAKE_CLAUDE: 'plain' };
    await using stage = await startStage({ env });
    const page = await stage.page();
    const choice = page.getByLabel('Provider', { exact: true });
    await choice.locator('option', { hasText: /^Claude Code$/ }).waitFor({ state: 'attached' });
    await choice.selectOption('claude_code');
    await page.getByText(/Ready, with claude 2\.1\.329/).waitFor();
    await page.getByLabel('Working directory').fill(stage.house.folder());
    await page.getByRole('button', { name: 'Start session' }).click();
    await page.getByLabel('Message to the agent').waitFor();
    expect(await page.getByLabel('Provider', { exact: true }).inputValue()).toBe('claude_code');
    await say(page, 'Good morning, Claude');
    await page.getByRole('article', { name: 'Agent' }).getByText('Good morning, Claude').waitFor();
    await page.getByText('This agent works with tools of its own.').waitFor();
    expect(stage.complaints).toEqual([]);
  });
});
