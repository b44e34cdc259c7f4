import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { chromiumPath } from '../support/chromium.ts';
import { type House, startHouse } from '../support/house.ts';
import type { TestServerOptions } from '../support/server.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real server with the simulator behind it, and a real browser in front of it. */
export interface Stage extends AsyncDisposable {
  readonly house: House;
  /** A page of a new browser profile that came in by a launch link; `path` is where it goes then. */
  page(options?: PageOptions): Promise<Page>;
  /** A profile without a credential. */
  stranger(options?: PageOptions): Promise<Page>;
  /** What pages reported as wrong so far: script errors, refusals of the page's policy, failed requests. */
  readonly complaints: string[];
}

export interface PageOptions {
  readonly path?: string;
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath(), args: flags });

export const startStage = async (options: TestServerOptions = {}): Promise<Stage> => {
  const [house, browser] = await Promise.all([startHouse(options), launchBrowser()]);
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];

  const open = async ({ theme = 'light', width = 1440, height = 900 }: PageOptions): Promise<Page> => {
    const context = await browser.newContext({ colorScheme: theme, viewport: { width, height } });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
    });
    return page;
  };

  return {
    house,
    complaints,
    stranger: async (options = {}) => {
      const page = await open(options);
      await page.goto(`${house.server.url}${options.path ?? '/'}`);
      return page;
    },
    page: async (options = {}) => {
      const page = await open(options);
      const { url } = await house.client.browserCode();
      await page.goto(url);
      await page.getByRole('heading', { name: 'Sessions' }).waitFor();
      if (options.path) await page.goto(`${house.server.url}${options.path}`);
      return page;
    },
    [Symbol.asyncDispose]: async () => {
      for (const context of contexts) await context.close();
      await browser.close();
      await house[Symbol.asyncDispose]();
    },
  };
};

/** The button that stops the turn of the open session. */
export const stopButton = (page: Page): Locator =>
  page.locator('.status-line').getByRole('button', { name: /^Stop/ });

/** The line of a saved credential on `/auth`. */
export const credentialRow = (page: Page, name: string): Locator =>
  page
    .locator('.credentials tbody tr')
    .filter({ has: page.getByRole('rowheader', { name: new RegExp(`^${name}\\b`) }) });

/** A provider's card on `/auth`. */
export const providerCard = (page: Page, name: string): Locator =>
  page.locator('.provider').filter({ has: page.getByRole('heading', { name, exact: true }) });

/** What can be used in a part of the page, as `role "name"`, in order. */
export const controlsOf = async (part: Locator): Promise<string[]> =>
  [...(await part.ariaSnapshot()).matchAll(/- '?((?:button|link|textbox|checkbox) "(?:[^"\\]|\\.)*")/g)].map(
    ([, control = '']) => control,
  );

/** Types a message and sends it by Enter. */
export const say = async (page: Page, text: string): Promise<void> => {
  const box = page.getByLabel('Message to the agent');
  await box.fill(text);
  await box.press('Enter');
};
