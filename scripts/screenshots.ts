/** `npm run screenshots`: the inspector's first view of a running stack, as the docs show it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { createDemoClient } from '../src/local/client.ts';
import type { DevSession } from '../src/local/session.ts';
import { CHROMIUM_FLAGS, chromiumPath } from './chromium.ts';

const root = join(import.meta.dirname, '..');
const FOLDER = join(root, 'docs/inspector');

const SIZES = [
  { name: 'laptop', width: 1440, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

/** Messages that keep the echo gateway busy, let it fail, and let it answer. */
const MESSAGES = [
  '@engineer please look at the login bug',
  '@qa ECHO_DELAY:600000 please test the release',
  '@squad-lead ECHO_DELAY:600000 what is the plan for this week?',
  '@engineer ECHO_500 please restart the build',
  '@engineer and what about the next release?',
];

/** As long as a page may take to show what is awaited, in milliseconds. */
const LIMIT_MS = 60_000;

interface Stack {
  process: ChildProcess;
  inspectorUrl: string;
  session: DevSession;
}

async function main(): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === null || !existsSync(executablePath)) {
    throw new Error('No Chromium is installed: install one, or set CHROMIUM_PATH to the path of one.');
  }
  const directory = mkdtempSync(join(tmpdir(), 'screenshots-'));
  const stack = await startStack(directory);
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  try {
    mkdirSync(FOLDER, { recursive: true });
    // A page shows what it has seen since it was opened.
    const pages: Page[] = [];
    for (const size of SIZES) pages.push(await open(browser, stack.inspectorUrl, size));
    await stir(stack.session);
    for (const [i, page] of pages.entries()) await shoot(page, SIZES[i]?.name ?? '');
  } finally {
    await browser.close();
    await stopStack(stack.process);
    rmSync(directory, { recursive: true, force: true });
  }
  process.stdout.write(`${SIZES.length} screenshots are in docs/inspector.\n`);
}

/** @throws Error when the stack ends before it is up */
async function startStack(directory: string): Promise<Stack> {
  process.env.DEV_DIR = directory;
  // It reads DEV_DIR when it is loaded.
  const { readSession } = await import('../src/local/session.ts');
  const dev = spawn(process.execPath, [join(root, 'src/local/dev.ts')], {
    env: { ...process.env, LOCAL_BACKEND_PORT: '0', HEALTH_PORT: '0', INSPECTOR_PORT: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (dev.exitCode === null) {
    const session = readSession();
    if (session?.inspectorUrl !== undefined) {
      return { process: dev, inspectorUrl: session.inspectorUrl, session };
    }
    await delay(200);
  }
  throw new Error('The stack did not start: npm run dev says why.');
}

/** A second signal cuts off the runs that never end. */
async function stopStack(dev: ChildProcess): Promise<void> {
  const exited = once(dev, 'exit');
  dev.kill('SIGTERM');
  const again = setTimeout(() => dev.kill('SIGTERM'), 500);
  await exited;
  clearTimeout(again);
}

async function stir(session: DevSession): Promise<void> {
  const client = createDemoClient(session);
  for (const [i, text] of MESSAGES.entries()) {
    const task = session.tasks[i % session.tasks.length];
    if (task !== undefined) await client.postMessage(task._id, text);
  }
}

async function open(browser: Browser, url: string, { width, height }: (typeof SIZES)[number]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: 'light' });
  await page.goto(url);
  await page.getByText('live', { exact: true }).waitFor({ timeout: LIMIT_MS });
  return page;
}

async function shoot(page: Page, name: string): Promise<void> {
  for (const [column, least] of [
    ['works', 2],
    ['waits', 1],
  ] as const) {
    await page
      .locator(`#now-${column} .card`)
      .nth(least - 1)
      .waitFor({ timeout: LIMIT_MS });
  }
  await page.locator('#count-delivered').filter({ hasText: /[1-9]/ }).waitFor({ timeout: LIMIT_MS });
  await page.screenshot({ path: join(FOLDER, `now-${name}.png`) });
  await page.close();
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
