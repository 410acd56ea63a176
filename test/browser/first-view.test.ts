/** The page as it opens: what is going on, at a glance, on a laptop and on a phone. */
import { describe, expect, test } from 'vitest';
import { holdGateway } from '../kits/held-gateway.ts';
import { startInspected } from '../kits/inspected.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { isLit, says, textOf, useBrowser } from './browser.ts';

const open = useBrowser();
const PHONE = { width: 390, height: 844 };

describe('the first view', () => {
  test('says who works on what, by agent and task, and leads to its chart and back', async () => {
    const backend = await missionControl();
    const gateway = await holdGateway(await echoGateway());
    const runtime = await startInspected({ backend, gateway });
    const page = await open(runtime.port);
    await says(page, '#now-sentence', 'All is well.');
    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
    await gateway.runHeld();
    await says(page, '#now-works .card .name', /^engineer · [A-Z]/);
    await says(page, '#now-sentence', /at work/);
    const name = await textOf(page, '#now-works .card .name');
    await page.locator('#now-works .card').first().click();
    await says(page, '#actor-path', name);
    expect(await page.locator('#now').isVisible()).toBe(false);
    await page.keyboard.press('o');
    expect(await page.locator('#now').isVisible()).toBe(true);
    gateway.release();
    await says(page, '#count-delivered', /[1-9]/);
  });

  test('a run in hand has its last sign and its limit; a silent one is in trouble, by agent and task', async () => {
    const backend = await missionControl();
    const gateway = await holdGateway(await echoGateway());
    const runtime = await startInspected({ backend, gateway, env: { STALL_AFTER: '3s' } });
    const page = await open(runtime.port, '', 'light', PHONE);
    await says(page, '#now-sentence', 'All is well.');
    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
    await gateway.runHeld();
    const times = /^working for \S+ s, last sign \S+ s ago, at most \d+ min more$/;
    await says(page, '#now-works .card .times', times);
    await says(page, '#now-trouble .card .name', /^engineer · [A-Z]/);
    await says(
      page,
      '#now-trouble .card .words',
      /^The run of engineer on ".*" is open and the gateway has sent/,
    );
    await says(page, '#now-trouble .card .times', /last sign \S+ s ago, at most/);
    await says(page, '#now-sentence', 'One thing is in trouble. 1 at work.');
    gateway.release();
    await says(page, '#now-trouble .note', 'Nothing is in trouble.');
    await says(page, '#count-delivered', /[1-9]/);
  });

  test('says what is in trouble, whole, since when and when it is tried again', async () => {
    const gateway = await echoGateway();
    const runtime = await startInspected({ backend: await missionControl(), gateway });
    await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    await gateway.close();
    const { problems } = await runtime.waitForHealth(
      'that the gateway is away',
      ({ status }) => status === 'degraded',
    );
    // The viewer comes when it has happened: what was before is there as well.
    const page = await open(runtime.port);
    await says(page, '#now-trouble .card .words', problems[0]?.problem ?? 'a problem');
    await says(page, '#now-trouble .card .times', /^for \d/);
    await until('The next try is told', async () =>
      (await textOf(page, '#now-trouble .card .times')).includes('next in'),
    );
    await says(page, '#reason', problems[0]?.problem ?? 'a problem');
    const overall = page.locator('.strip canvas').first();
    await until('The timeline tells the time before', async () =>
      /^overall: .*degraded/.test((await overall.getAttribute('aria-label')) ?? ''),
    );
  });

  test('answers why a message is not answered, and goes on telling until it is', async () => {
    const backend = await missionControl();
    const gateway = await holdGateway(await echoGateway());
    const runtime = await startInspected({ backend, gateway });
    for (const viewport of [{ width: 1440, height: 900 }, PHONE]) {
      const page = await open(runtime.port, '', 'light', viewport);
      await page.locator('#why-question').fill('nobody wrote this');
      await page.locator('#why button').click();
      await says(page, '#why-answer', 'Nothing is known of "nobody wrote this"');
    }
    const page = await open(runtime.port);
    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look at the login bug');
    await gateway.runHeld();
    await page.locator('#why-question').fill('please look at the login');
    await page.locator('#why-question').press('Enter');
    await says(page, '#why-answer', 'Its agent works.');
    await says(page, '#why-answer', /who *engineer · /);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1440);
    gateway.release();
    await says(page, '#why-answer', 'Delivered: the reply is in the thread of ');
  });

  test('says that all is well while a run that failed waits for its repetition', async () => {
    const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
    const rests = { DELIVERY_BACKOFF_BASE_MS: '1h', DELIVERY_BACKOFF_MAX_MS: '1h' };
    const runtime = await startInspected({ backend, gateway, env: rests });
    await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    await gateway.setFault('500');
    await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
    const page = await open(runtime.port);
    await says(page, '#now-waits .card .state', 'resting');
    await says(page, '#status', 'healthy');
    await says(page, '#now-sentence', /^All is well\. .*1 waiting/);
    await says(page, '#now-trouble .note', 'Nothing is in trouble.');
  });

  test('every counter explains itself to who points at it and to who has a keyboard', async () => {
    const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
    const page = await open(runtime.port);
    await says(page, '#status', 'healthy');
    const counters = page.locator('.counters > div');
    const count = await counters.count();
    expect(count).toBeGreaterThan(4);
    for (let i = 0; i < count; i += 1) {
      const counter = counters.nth(i);
      const why = counter.locator('.why');
      expect(await why.isVisible()).toBe(false);
      await counter.focus();
      expect(await why.isVisible()).toBe(true);
      expect(((await why.textContent()) ?? '').length).toBeGreaterThan(20);
      await page.locator('#theme').focus();
      await counter.hover();
      expect(await why.isVisible()).toBe(true);
      await page.mouse.move(700, 500);
    }
  });

  test('probes and other steady chatter are one row, which unfolds', async () => {
    const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
    const page = await open(runtime.port);
    await says(page, '#log', /▸ \d+ steady: .*gateway/);
    // The log moves on meanwhile, so a click may meet another row.
    const folded = page.locator('#log .fold:not([hidden])', { hasText: /▸.*gateway/ }).first();
    await until('The log shows the probes', async () => {
      if (((await page.locator('#log').textContent()) ?? '').includes('probeGateway')) return true;
      if (await folded.isVisible()) await folded.click();
      return false;
    });
  });
});

describe('a chart', () => {
  test('that is too large to be read at once shows the part with the live state, and offers all parts', async () => {
    const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
    const page = await open(runtime.port, '#/actor/supervisor/delivery');
    await isLit(page, 'delivery.active.gate.open');
    const options = await page.locator('#parts option').allTextContents();
    expect(options.slice(0, 2)).toEqual(['everything', 'delivery, top level']);
    expect(options).toEqual(expect.arrayContaining(['gate', 'mode', 'poll']));
    const scale = (): Promise<number> =>
      page.locator('#chart svg').evaluate((svg) => new DOMMatrix(getComputedStyle(svg).transform).a);
    expect(await scale()).toBeGreaterThanOrEqual(0.69);
    await page.locator('#parts').selectOption({ label: 'everything' });
    expect(await scale()).toBeLessThan(0.69);
    await page.locator('#parts').selectOption({ label: 'mode' });
    await page.locator('#zoom button', { hasText: 'Fit' }).click();
    expect(await scale()).toBeGreaterThanOrEqual(0.69);
  });
});

test('on a phone: one panel at a time, nothing wider than the screen, and all of it by touch', async () => {
  const gateway = await echoGateway();
  const runtime = await startInspected({ backend: await missionControl(), gateway });
  const page = await open(runtime.port, '', 'light', PHONE);
  await says(page, '#now-sentence', 'All is well.');
  const widest = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);
  const shown = (): Promise<string[]> =>
    page
      .locator('[data-view]')
      .evaluateAll((all) =>
        all.filter((one) => one.checkVisibility()).map((one) => one.getAttribute('data-view') ?? ''),
      );
  for (const [tab, view] of [
    ['Machines', 'machines'],
    ['Events', 'events'],
    ['Timeline', 'timeline'],
    ['Chart', 'chart'],
    ['Now', 'now'],
  ] as const) {
    await page.locator('#views button', { hasText: tab }).click();
    await until(`${view} alone is shown`, async () => (await shown()).join() === view);
    expect(await widest()).toBeLessThanOrEqual(PHONE.width);
  }
  await page.locator('#views button', { hasText: 'Machines' }).click();
  await page.locator('.actor', { hasText: 'gateway' }).first().click();
  await until('The chart is shown', async () => (await shown()).join() === 'chart');
  await isLit(page, 'gateway.connected');
});
