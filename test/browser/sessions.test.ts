/**
 * A thousand sessions at once. The contract shows one process at most 500 rows, so they come from a recording. The page
 * draws a recording with the same code as a live stream.
 */
import { expect, test } from 'vitest';
import { actor, picture, STATUS, step } from '../kits/samples/inspector.ts';
import { startInspected } from '../kits/inspected.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { says, useBrowser } from './browser.ts';

const SESSIONS = 1_000;
/** One for each 10 ms; far more than the test plays. */
const STEPS = 60_000;
const FRAMES = 180;

const paths = Array.from({ length: SESSIONS }, (_, n) => `supervisor/delivery/notification:task-${n}`);

/** A thousand runs are open, and each session in turn is asked how it goes. */
function recordingOfSessions(): Buffer {
  const sessions = paths.map((path) => actor(path, { states: ['running'], tags: ['busy'] }));
  const parents = ['supervisor', 'supervisor/delivery'].map((path) => actor(path));
  const head = {
    recording: 1,
    picture: picture([...parents, ...sessions], { status: { ...STATUS, inFlight: SESSIONS } }),
  };
  const steps = Array.from({ length: STEPS }, (_, n) => {
    const [from, to] = Math.floor(n / SESSIONS) % 2 === 0 ? ['running', 'checking'] : ['checking', 'running'];
    const path = paths[n % SESSIONS] ?? '';
    return step(n + 1, { at: n * 10, path, from: [from], to: [to], tags: ['busy'] });
  });
  return Buffer.from([head, ...steps].map((line) => JSON.stringify(line)).join('\n'));
}

const open = useBrowser();

test('1,000 sessions: counted, searched and scrolled while they change, with a few rows in the document', async () => {
  const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
  const page = await open(runtime.port);
  await says(page, '#connection', 'live');
  const file = { name: 'sessions.jsonl', mimeType: 'text/plain', buffer: recordingOfSessions() };
  await page.locator('#file').setInputFiles(file);
  await says(page, '#count-inFlight', '1,000');
  const group = page.locator('.actor:has(.name:text-is("notifications"))');
  await says(page, '.actor:has(.name:text-is("notifications")) .tags', '1,000');
  await group.click();
  await says(page, '#tree', 'task-3');
  await page.locator('#play').click();

  const frames = await page.evaluate(async (count) => {
    const tree = document.getElementById('tree');
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    const times: number[] = [];
    let last = await frame();
    for (let n = 0; n < count; n += 1) {
      if (tree !== null) tree.scrollTop += 200;
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  }, FRAMES);
  const at = (share: number): string => (frames[Math.floor((frames.length - 1) * share)] ?? 0).toFixed(1);
  console.log(
    `${SESSIONS} sessions, changing and scrolled: a frame takes ${at(0.5)} ms (median), ${at(0.95)} ms (p95), ${at(1)} ms (longest of ${FRAMES})`,
  );
  expect(await page.locator('#tree').evaluate((tree) => tree.scrollTop)).toBeGreaterThan(FRAMES * 100);
  expect(await page.locator('#tree .actor').count()).toBeLessThan(80);
  const total = await page.locator('#tree .actor').first().getAttribute('aria-setsize');
  expect(Number(total)).toBe(2 + 1 + SESSIONS);

  await page.locator('#search').fill('task-987');
  await page.locator('.actor:not([hidden])', { hasText: 'task-987' }).click();
  await says(page, '#actor-path', paths[987] ?? '');
  await says(page, '#actor-state', /running|checking/);
});
