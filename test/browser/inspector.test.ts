/** The page against a running stack: the built runtime, a backend, a gateway. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdGateway } from '../kits/held-gateway.ts';
import { startInspected } from '../kits/inspected.ts';
import { temporaryDirectory } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { isLit, says, textOf, useBrowser } from './browser.ts';

const open = useBrowser();

describe('what happens is seen', () => {
  test('states light up as a notification flows, edges flash, and the counters follow', async () => {
    const backend = await missionControl();
    const gateway = await holdGateway(await echoGateway());
    const runtime = await startInspected({ backend, gateway });
    const page = await open(runtime.port, '#/actor/supervisor/delivery');
    await says(page, '#status', 'healthy');
    await isLit(page, 'delivery.active.gate.open');
    // The page's own style must not reach into the drawing: the head of an arrow stays at the end of its line.
    const turnOf = (head: Element): string => getComputedStyle(head).transform;
    expect(await page.locator('g.edge > .head').first().evaluate(turnOf)).toBe('none');

    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
    await gateway.runHeld();
    await says(page, '#count-inFlight', '1');
    await until('An edge flashes', async () => (await page.locator('g.edge.taken').count()) > 0);
    await page.locator('#search').fill('notification:');
    await page.locator('.actor:not([hidden])', { hasText: 'engineer · ' }).first().click();
    await isLit(page, 'notification.working.running');
    expect(page.url()).toContain('#/actor/supervisor/delivery/notification');

    gateway.release();
    await says(page, '#count-delivered', /[1-9]/);
    await page.locator('#log-event').fill('xstate.done.actor');
    const told = page.locator('#log .event:not([hidden]) .receiver', { hasText: /^delivery$/ });
    await until('The log tells that delivery was told', async () => (await told.count()) > 0);
  });

  test('a gateway that stops is seen as degraded, with the reason, in tree, chart and timeline', async () => {
    const gateway = await echoGateway();
    const runtime = await startInspected({ backend: await missionControl(), gateway });
    const page = await open(runtime.port, '#/actor/supervisor/gateway');
    await isLit(page, 'gateway.connected');
    await gateway.close();
    await says(page, '#status', 'degraded');
    await says(page, '#reason', `The OpenClaw gateway does not answer at ${gateway.url}`);
    await isLit(page, 'gateway.degraded');
    await says(page, '.actor[aria-selected="true"] .tags', 'degraded');
    const labels = (): Promise<string[]> =>
      page
        .locator('.strip canvas')
        .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
    await until('The timeline tells it', async () =>
      (await labels()).some((label) => /^overall: .*degraded for \d/.test(label)),
    );
    await page.locator('#parts').selectOption('0');
    await page.locator('g.state[data-id="gateway.degraded"] > .title').hover();
    await says(page, '#tip', 'asked again with backoff');
  });

  test('a process that leaves is seen draining, and then as left', async () => {
    const backend = await missionControl();
    const gateway = await holdGateway(await echoGateway());
    const runtime = await startInspected({ backend, gateway });
    const page = await open(runtime.port, '#/actor/supervisor');
    await says(page, '#status', 'healthy');
    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
    await gateway.runHeld();
    runtime.kill('SIGTERM');
    await says(page, '#status', 'draining');
    await isLit(page, 'supervisor.draining.quiescing');
    gateway.release();
    await runtime.exited;
    await says(page, '#status', 'left');
    await says(page, '#reason', 'stopped by SIGTERM (exit code 0)');
  });
});

test('a recording plays: its slider goes back to when all was well', async () => {
  const gateway = await echoGateway();
  const runtime = await startInspected({ backend: await missionControl(), gateway });
  await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  const file = join(temporaryDirectory(), 'recording.jsonl');
  const flags = ['--seconds', '60', '--out', file, '--url', `http://127.0.0.1:${runtime.port}`];
  const record = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/record.ts'), ...flags]);
  const ended = new Promise<number | null>((resolve) => record.once('exit', resolve));
  await until('It records', () => statSync(file, { throwIfNoEntry: false })?.size);
  await gateway.close();
  await runtime.waitForHealth('that the gateway is away', ({ status }) => status === 'degraded');
  const page = await open(runtime.port, '#/actor/supervisor/gateway');
  await says(page, '#status', 'degraded');
  runtime.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  await page.locator('#file').setInputFiles(file);
  await says(page, '#connection', 'recording');
  await says(page, '#status', 'healthy');
  await isLit(page, 'gateway.connected.steady');
  await page.locator('#slider').press('End');
  await says(page, '#status', 'left');
  await page.locator('#slider').press('Home');
  await says(page, '#status', 'healthy');
  await page.locator('#speed').selectOption('16');
  await page.locator('#play').click();
  await says(page, '#status', 'left');
  await page.locator('#player-close').click();
  await says(page, '#connection', /connection/);
  await page
    .locator('#file')
    .setInputFiles({ name: 'x.jsonl', mimeType: 'text/plain', buffer: Buffer.from('nonsense') });
  await says(page, '#problem', 'This is no recording of the inspector');
});

test('light and dark, as the system is or as one likes it', async () => {
  const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
  const page = await open(runtime.port, '#/actor/supervisor', 'dark');
  const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const box = (): Promise<string> =>
    page.locator('g.state.root > .box').evaluate((element) => getComputedStyle(element).fill);
  await isLit(page, 'supervisor');
  const dark = [await paper(), await box()];
  await page.emulateMedia({ colorScheme: 'light' });
  await until('It is light', async () => (await paper()) !== dark[0] && (await box()) !== dark[1]);
  const light = await paper();
  await page.locator('#theme').click();
  await page.locator('#theme').click();
  expect(await textOf(page, '#theme')).toBe('Dark');
  expect(await paper()).toBe(dark[0]);
  await page.locator('#theme').click();
  expect(await paper()).toBe(light);
});

test('the keyboard alone: search, choose, move the chart, filter, and send a command', async () => {
  const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
  const page = await open(runtime.port, '#/actor/supervisor');
  await says(page, '#status', 'healthy');
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id ?? '');
  await page.keyboard.press('/');
  expect(await focused()).toBe('search');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('tree');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await until('The gateway is chosen', () => page.url().endsWith('#/actor/supervisor/gateway'));
  await isLit(page, 'gateway.connected');
  const active = await page.locator('#tree').getAttribute('aria-activedescendant');
  expect(await page.locator(`[id="${active ?? ''}"]`).getAttribute('aria-selected')).toBe('true');

  for (let n = 0; n < 10 && (await focused()) !== 'chart'; n += 1) await page.keyboard.press('Tab');
  expect(await focused()).toBe('chart');
  const place = (): Promise<string> =>
    page.locator('#chart svg').evaluate((svg) => svg.getAttribute('style') ?? '');
  const before = await place();
  await page.keyboard.press('+');
  expect(await place()).not.toBe(before);

  await page.keyboard.press('Tab');
  expect(await focused()).toBe('tab-log');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#tab-sequence').getAttribute('aria-selected')).toBe('true');
  expect(await page.locator('#sequence').isVisible()).toBe(true);

  // Back to the bar, to its first command.
  await page.locator('#commands button').first().focus();
  await page.keyboard.press('Enter');
  expect(await page.locator('#confirm').isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await runtime.waitForLog('the command', ({ event }) => event === 'inspector.command');
  expect(runtime.log.filter(({ event }) => event === 'inspector.command')).toHaveLength(1);
});
