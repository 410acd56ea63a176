import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { startBackend } from '../../../src/local/mission-control/spawn.ts';
import { proxyTo } from '../../kits/proxy.ts';
import { startRuntime, temporaryDirectory } from '../../kits/runtime.ts';
import { freePort } from '../../../src/local/free-port.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import {
  allDelivered,
  ask,
  DEFAULT_WAITS,
  expectGoodOrder,
  mostRuns,
  replies,
  runUnderWay,
  setUp,
  type Stage,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

const POST = 'service/actions:createMessageFromAgent';
const MARK = 'service/actions:markNotificationDelivered';
const LIST = 'service/actions:listUndeliveredNotifications';
const READ = 'service/actions:getNotificationForDelivery';

/** One function fails for every row, many times more often than a row of its own would be given up. */
const failsForAll = (
  name: string,
  path: string,
  what: string,
  mode: 'error' | '429' | '500' = 'error',
): FaultCase => ({
  name,
  what,
  names: new RegExp(path.replace('service/actions:', '')),
  contractOnly: true,
  limit: 90,
  async run(_test, trouble) {
    const stage = await setUp({ sessions: 6, runMs: 1_500 });
    if (path !== READ) await runUnderWay(stage, 6);
    await stage.backend.setFault({ mode, path });
    trouble.begins();
    if (path === READ) for (let task = 0; task < 6; task++) await ask(stage, 'please look at this', task);
    const name = path.replace('service/actions:', '');
    const { problems } = await stage.runtime.waitForHealth('whose trouble it is', ({ problems }) =>
      problems.some(({ source }) => source === name || source === `away:${name}`),
    );
    await delay(8_000);
    expect((await stage.runtime.health()).delivery.parked, 'rows given up').toBe(0);
    await stage.backend.setFault({ mode: 'ok' });
    trouble.ends();
    const took = await expectRunOnce(stage, 60);
    await stage.runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    return `${problems.length} problem on /health, nothing given up in 8 s, 1 run each, delivered ${took} after`;
  },
});

/** What every trouble of Convex ends with: all is delivered, and nothing was run for it again. */
async function expectRunOnce(stage: Stage, seconds = 30): Promise<string> {
  const took = await allDelivered(stage, seconds);
  await expectGoodOrder(stage);
  expect(await mostRuns(stage), 'runs of a row').toBe(1);
  return inSeconds(took);
}

export const backendCases: readonly FaultCase[] = [
  {
    name: 'convex-absent',
    what: 'Convex is not there at the start and comes later: the process waits, then delivers',
    names: /CONVEX_URL|cannot be reached/,
    async run(_test, trouble) {
      const secret = 'ab'.repeat(32);
      const port = await freePort();
      // The account stays the same.
      const dataDir = temporaryDirectory();
      const first = await startBackend({ secret, dataDir, extraTasks: 3 });
      await first.close();
      const gateway = await echoGateway();
      trouble.begins();
      const runtime = await startRuntime({ backend: { ...first, url: `http://127.0.0.1:${port}` }, gateway });
      const { reason } = await runtime.waitForHealth(
        'that Convex is away',
        ({ status }) => status === 'degraded',
      );
      expect(reason).toContain('CONVEX_URL');
      const backend = await missionControl({ port, secret, dataDir, extraTasks: 3 });
      trouble.ends();
      return `3 rows delivered ${await expectRunOnce({ backend, gateway, runtime })} after it came`;
    },
  },
  {
    name: 'convex-500',
    what: 'Convex answers 500 to everything for 4 s while runs end: they are posted later and not run again',
    names: /500/,
    async run(_test, trouble) {
      const stage = await setUp({ sessions: 6, runMs: 1_500 });
      await runUnderWay(stage, 6);
      await stage.backend.setFault({ mode: '500' });
      trouble.begins();
      await stage.runtime.waitForHealth('that Convex is away', ({ status }) => status === 'degraded');
      await delay(4_000);
      await stage.backend.setFault({ mode: 'ok' });
      trouble.ends();
      return `6 runs, each once, delivered ${await expectRunOnce(stage)} after`;
    },
  },
  {
    name: 'convex-hang',
    what: 'Convex never answers one call (posting a reply): after 30 s it is made again; other sessions go on meanwhile',
    names: /createMessageFromAgent|completeDelivery/,
    limit: 90,
    async run(_test, trouble) {
      const stage = await setUp();
      await stage.backend.setFault({ mode: 'hang', path: POST, count: 1 });
      const slow = await ask(stage, 'please look at this');
      await runUnderWayOrOver(stage);
      trouble.begins();
      const others = [await ask(stage, 'and this', 1), await ask(stage, 'and that', 2)];
      const began = performance.now();
      while (
        (await Promise.all(others.map((task) => replies(stage, task)))).some(({ length }) => length === 0)
      ) {
        await delay(50);
      }
      const quick = inSeconds(performance.now() - began);
      expect(await replies(stage, slow)).toEqual([]);
      await within(60, 'The hung one is posted', async () => (await replies(stage, slow)).length > 0);
      trouble.ends();
      const took = await expectRunOnce(stage, 60);
      expect(await replies(stage, slow)).toHaveLength(1);
      return `others answered in ${quick}, the hung one delivered ${took} later, 1 run each`;
    },
  },
  {
    name: 'convex-slow',
    what: 'every call to Convex takes 500 ms: slower, and otherwise the same',
    nothingToName: 'a slow answer is an answer',
    async run() {
      const stage = await setUp();
      await stage.backend.setFault({ mode: 'ok', delayMs: 500 });
      for (let task = 0; task < 3; task++) await ask(stage, 'please look at this', task);
      const took = await expectRunOnce(stage);
      return `3 sessions delivered in ${took}, 1 run each`;
    },
  },
  {
    name: 'convex-cut',
    what: 'every answer of Convex breaks off after 90 bytes for 3 s: what was done is done once',
    names: /Convex|Mission Control/,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl({ extraTasks: 4 }), echoGateway()]);
      await gateway.setFault('ok', 1_000);
      const proxy = await proxyTo(backend.url);
      const runtime = await startRuntime({ backend: { ...backend, url: proxy.url }, gateway });
      const stage = { backend, gateway, runtime };
      await runUnderWay(stage, 4);
      proxy.set({ kind: 'cut', afterBytes: 90 });
      trouble.begins();
      await runtime.waitForHealth('that Convex is away', ({ status }) => status === 'degraded');
      await delay(3_000);
      proxy.set({ kind: 'none' });
      trouble.ends();
      return `4 replies posted once, 1 run each, delivered ${await expectRunOnce(stage)} after`;
    },
  },
  {
    name: 'convex-lost-answer',
    what: 'the reply is posted, but Convex breaks the connection: it is posted again, and stands in the thread once',
    nothingToName: 'two lost answers, made good within a second',
    quick: true,
    async run() {
      const stage = await setUp();
      await stage.backend.setFault({ mode: 'lost', path: POST, count: 2 });
      const taskId = await ask(stage, 'please look at this');
      const took = await expectRunOnce(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      return `posted 3 times, in the thread once, 1 run, ${took}`;
    },
  },
  {
    name: 'mark-fails',
    what: 'marking the row fails 4 times: only the mark is made again, not the run and not the post',
    nothingToName: 'four failed calls within two seconds',
    async run() {
      const stage = await setUp();
      await stage.backend.setFault({ mode: 'error', path: MARK, count: 4 });
      const taskId = await ask(stage, 'please look at this');
      const took = await expectRunOnce(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      return `1 run, 1 reply, delivered after ${took}`;
    },
  },
  failsForAll(
    'post-fails-for-all',
    POST,
    'posting fails for every row for 8 s: nobody counts it, /health names the function, no reply is lost',
  ),
  failsForAll(
    'context-fails-for-all',
    READ,
    'reading the context fails for every row for 8 s: nobody counts it, nothing is given up',
  ),
  failsForAll(
    'mark-fails-for-all',
    MARK,
    'marking fails for every row for 8 s: nobody counts it, all are marked once it works',
  ),
  failsForAll(
    'post-away-for-all',
    POST,
    'Convex answers 500 where replies are posted, and is well otherwise, for 8 s: /health names the function, no reply is lost',
    '500',
  ),
  failsForAll(
    'mark-away-for-all',
    MARK,
    'Convex answers 429 where rows are marked, and is well otherwise, for 8 s: /health names the function, all are marked then',
    '429',
  ),
  {
    name: 'list-fails-for-long',
    what: 'the list of notifications fails for 80 s, with the default waits: named, and read again within 30 s',
    names: /list of notifications cannot be read/,
    contractOnly: true,
    limit: 150,
    async run(_test, trouble) {
      const stage = await setUp({ env: DEFAULT_WAITS });
      await allDelivered(stage);
      await stage.backend.setFault({ mode: 'error', path: LIST });
      const taskId = await ask(stage, 'please look at this');
      await stage.runtime.waitForHealth('the trouble', ({ status }) => status === 'degraded');
      trouble.begins();
      await delay(80_000);
      await stage.backend.setFault({ mode: 'ok' });
      trouble.ends();
      const took = await within(30, 'It is answered', async () => (await replies(stage, taskId)).length > 0);
      return `answered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'mark-never',
    what: 'a row cannot be marked: it is left alone, run and posted once, other sessions go on, and it is marked in the end',
    names: /neither delivered nor marked/,
    async run(_test, trouble) {
      const stage = await setUp();
      await stage.backend.setFault({ mode: 'error', path: MARK });
      const taskId = await ask(stage, 'please look at this');
      trouble.begins();
      await stage.runtime.waitForLog('that it is stuck', ({ event }) => event === 'delivery.stuck');
      await stage.backend.setFault({ mode: 'ok' });
      const other = await ask(stage, 'and this', 1);
      // The stuck session may have a second row, which is delivered first.
      await within(20, 'the other session is answered', async () => (await replies(stage, other)).length > 0);
      expect(await replies(stage, other)).toHaveLength(1);
      expect(await replies(stage, taskId)).toHaveLength(1);
      expect(await mostRuns(stage)).toBe(1);
      const took = await allDelivered(stage, 60);
      trouble.ends();
      return `1 run, 1 reply, marked ${inSeconds(took)} after the other session was answered`;
    },
  },
];

/** The echo answers at once, so its run may be over before the test looks. */
async function runUnderWayOrOver({ gateway }: Stage): Promise<void> {
  while ((await gateway.runs()).runs.length === 0) await delay(50);
}
