/** A page whose stream breaks. */
import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { followStream } from '../../src/inspector/follow.ts';
import type { Entry } from '../../src/inspector/wire.ts';
import { startInspected } from '../kits/inspected.ts';
import { proxyTo } from '../kits/proxy.ts';
import { echoGateway, missionControl, portOf } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { says, useBrowser } from './browser.ts';

const open = useBrowser();

test('a stream that breaks goes on where it broke off: nothing is missing, nothing is there twice', async () => {
  const backend = await missionControl();
  const runtime = await startInspected({ backend, gateway: await echoGateway() });
  const told = await follow(runtime.port);
  const proxy = await proxyTo(`http://127.0.0.1:${runtime.port}`);
  const page = await open(portOf(proxy));
  const places: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/events')) places.push(request.headers()['last-event-id']);
  });
  const deliver = async (text: string): Promise<void> => {
    const from = told.length;
    await backend.postMessage(backend.taskIds[0] ?? '', `@engineer ${text}`);
    await until('The reply is posted', () =>
      told
        .slice(from)
        .some((entry) => isStep(entry) && entry.to.some((state) => state.startsWith('answering.'))),
    );
  };

  await says(page, '#connection', 'live');
  await deliver('one');
  proxy.set({ kind: 'reset' });
  await says(page, '#connection', 'no connection');
  await deliver('two, which the page does not see');
  proxy.set({ kind: 'none' });
  await says(page, '#connection', 'live');
  await deliver('three');

  // When the runtime has left, nothing comes any more, and both must have been told the same.
  runtime.kill('SIGTERM');
  await says(page, '#status', 'left');
  await until('Both are told so', () => told.some(({ kind }) => kind === 'left'));
  expect(places.filter((place) => place !== undefined).length).toBeGreaterThan(0);
  // Steady rows are folded otherwise.
  await page.locator('#log-steady').check();
  expect(await readLog(page)).toEqual(told.filter(isStep).map(({ seq }) => seq));
});

const isStep = (entry: Entry): entry is Extract<Entry, { kind: 'step' }> => entry.kind === 'step';

/** All that a viewer whose stream never breaks is told, as it comes. */
async function follow(port: number): Promise<Entry[]> {
  const told: Entry[] = [];
  await new Promise<void>((resolve, reject) => {
    const stream = followStream(`http://127.0.0.1:${port}/events`, {
      onHello({ history }) {
        told.push(...history);
        resolve();
      },
      onEntries: (entries) => told.push(...entries),
    });
    stream.read(new AbortController().signal).catch(reject);
  });
  return told;
}

/** The numbers of all rows of the log, from its first to its last: only those in sight are in the document. */
const readLog = (page: Page): Promise<number[]> =>
  page.locator('#log').evaluate(async (log) => {
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    const seen = new Map<number, number>();
    for (log.scrollTop = 0; ; log.scrollTop += log.clientHeight) {
      await frame();
      await frame();
      for (const row of log.querySelectorAll<HTMLElement>('.row:not([hidden])')) {
        seen.set(Number(/translateY\((\d+)px\)/.exec(row.style.transform)?.[1]), Number(row.dataset.seq));
      }
      if (log.scrollTop + log.clientHeight >= log.scrollHeight - 1) break;
    }
    return [...seen].sort(([a], [b]) => a - b).map(([, seq]) => seq);
  });
