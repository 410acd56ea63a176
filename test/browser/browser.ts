/** The inspector's page in a real browser. */
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { CHROMIUM_FLAGS, chromiumPath } from '../../scripts/chromium.ts';
import { until } from '../kits/until.ts';

/** @returns what opens the page; at the end of each test nothing may have gone wrong in it */
export function useBrowser() {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args: CHROMIUM_FLAGS });
  });
  afterAll(() => browser?.close());
  return async (
    port: number,
    hash = '',
    scheme: 'light' | 'dark' = 'light',
    viewport = { width: 1440, height: 900 },
  ): Promise<Page> => {
    if (browser === null) throw new Error('The browser is not there yet.');
    const context = await browser.newContext({ viewport, colorScheme: scheme });
    const page = await context.newPage();
    const origin = `http://127.0.0.1:${port}`;
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(`an error: ${error.message}`));
    page.on('console', (message) => {
      // The browser itself reports a connection that broke off; that it breaks off is what some tests are about.
      const isLink =
        message.text().includes('net::ERR_') && /\/(?:events|charts\/\w+\.svg)$/.test(message.location().url);
      if (message.type() !== 'log' && !isLink) wrong.push(`on the console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) wrong.push(`a request to ${url}`);
    });
    onTestFinished(async () => {
      await context.close();
      expect(wrong).toEqual([]);
    });
    await page.goto(`${origin}/${hash}`);
    return page;
  };
}

export const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent({ timeout: 5_000 })) ?? '';

/** Waits until the element says this. */
export const says = (page: Page, selector: string, words: string | RegExp): Promise<unknown> =>
  until(`${selector} says ${String(words)}`, async () => {
    const text = await textOf(page, selector);
    return typeof words === 'string' ? text.includes(words) : words.test(text);
  });

/** Waits until that state of the shown chart is lit. */
export const isLit = (page: Page, state: string): Promise<unknown> =>
  until(
    `${state} is lit`,
    async () => (await page.locator(`g.state.active[data-id="${state}"]`).count()) === 1,
  );
