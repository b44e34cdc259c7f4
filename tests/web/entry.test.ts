import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, startStage } from './support.ts';

describe('coming in (Q3)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('tells a browser without a credential how to get in, and shows nothing else', async () => {
    const page = await stage.stranger();
    await page.getByRole('heading', { name: 'This browser is not signed in' }).waitFor();
    expect(await page.getByText('npm run maestro -- open').isVisible()).toBe(true);
    expect(await page.locator('input').count()).toBe(0);
  });

  it('exchanges a launch link once, takes it out of the address, and stays in after a reload', async () => {
    const { url } = await stage.house.client.browserCode();
    const page = await stage.stranger();
    await page.getByRole('heading', { name: 'This browser is not signed in' }).waitFor();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    expect(page.url()).toBe(`${stage.house.server.url}/`);
    await page.reload();
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();

    const other = await stage.stranger();
    await other.goto(url);
    await other.getByRole('heading', { name: 'This link has been used or is too old' }).waitFor();
  });

  it('shows the way in when the credential ends while the page is open', async () => {
    const page = await stage.page();
    await page.getByLabel('Working directory').waitFor();
    await page.context().clearCookies();
    await page.getByLabel('Show archived').click();
    await page.getByRole('heading', { name: 'This browser is not signed in' }).waitFor();
  });
});
