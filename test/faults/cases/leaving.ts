import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { relayTo } from '../../kits/relay.ts';
import { startRuntime, type RuntimeProcess } from '../../kits/runtime.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import {
  allDelivered,
  ask,
  expectGoodOrder,
  mostRuns,
  replies,
  runUnderWay,
  setUp,
  startAgain,
  undelivered,
  type Stage,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

const CRASH_ON_SIGNAL = new URL('../preload/crash-on-signal.ts', import.meta.url);

/** @returns how long it took to leave, in milliseconds */
async function expectExit({ exited }: RuntimeProcess, code: number, signalledAt: number): Promise<number> {
  expect(await exited).toEqual({ code, signal: null });
  return performance.now() - signalledAt;
}

/** Signals the runtime and waits for its end. */
function leave(runtime: RuntimeProcess, signal: NodeJS.Signals, code: number): Promise<number> {
  const signalledAt = performance.now();
  runtime.kill(signal);
  return expectExit(runtime, code, signalledAt);
}

/** The next process on the same STATE_DIR brings what is left to its end. */
async function expectTakenUp(stage: Stage): Promise<RuntimeProcess> {
  const runtime = await startAgain(stage);
  await allDelivered(stage);
  await expectGoodOrder({ ...stage, runtime });
  return runtime;
}

/** @param signal makes the bug of the preload happen */
const ownCrash = (name: string, bug: string, signal: NodeJS.Signals, source: string): FaultCase => ({
  name,
  what: `${bug} of our own with a secret in it: redacted stack in the log, exit 70; the next process goes on`,
  nothingToName: 'the process leaves at once, and its log says why; the next one is well',
  async run() {
    const stage = await setUp({ runMs: 1_000, env: { NODE_OPTIONS: `--import ${CRASH_ON_SIGNAL.href}` } });
    const taskId = await ask(stage, 'please look at this');
    await runUnderWay(stage);
    const took = await leave(stage.runtime, signal, 70);
    const line = await stage.runtime.waitForLog('it', ({ event }) => event === 'process.failed');
    expect(line.message).toContain(source);
    expect(JSON.stringify(line)).toMatch(/crash on command.*crash-on-signal/s);
    expect(stage.runtime.stdout() + stage.runtime.stderr()).not.toContain(stage.backend.serviceToken);
    await expectTakenUp(stage);
    expect(await replies(stage, taskId)).toHaveLength(1);
    return `exit 70 after ${inSeconds(took)}, no secret in the log, ${await mostRuns(stage)} run`;
  },
});

const LEAVES = 'a process that was told to leave says "draining", and is gone before anything can stay';
const KILLED = 'the process is gone, and the next one is well';

export const leavingCases: readonly FaultCase[] = [
  {
    name: 'sigterm-in-work',
    nothingToName: LEAVES,
    what: 'SIGTERM during a run: it is finished and posted, nothing new begins, offline, exit 0',
    async run() {
      const stage = await setUp({ runMs: 1_500 });
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      const took = await leave(stage.runtime, 'SIGTERM', 0);
      expect(await replies(stage, taskId)).toHaveLength(1);
      expect((await stage.backend.showRuntime()).runtimeStatus).toBe('offline');
      return `exit 0 after ${inSeconds(took)}, reply posted, offline`;
    },
  },
  {
    name: 'sigterm-convex-hangs',
    nothingToName: LEAVES,
    what: 'SIGTERM while Convex answers nothing, DRAIN_TIMEOUT_MS=1s: exit 0 within 3 s; the reply is not lost',
    quick: true,
    async run() {
      const stage = await setUp({ runMs: 500, env: { DRAIN_TIMEOUT_MS: '1s' } });
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      await stage.backend.setFault({ mode: 'hang' });
      const took = await leave(stage.runtime, 'SIGTERM', 0);
      expect(took).toBeLessThan(3_000);
      await stage.backend.setFault({ mode: 'ok' });
      await expectTakenUp(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      expect(await mostRuns(stage)).toBe(1);
      return `exit 0 after ${inSeconds(took)}; the next process posts the reply, 1 run`;
    },
  },
  {
    name: 'sigterm-gateway-hangs',
    nothingToName: LEAVES,
    what: 'SIGTERM while the gateway answers nothing, DRAIN_TIMEOUT_MS=2s: exit 0 within 4 s, the row is handed back',
    async run() {
      const stage = await setUp({ env: { DRAIN_TIMEOUT_MS: '2s' } });
      await stage.gateway.setFault('hang');
      await ask(stage, 'please look at this');
      await runUnderWay(stage);
      const took = await leave(stage.runtime, 'SIGTERM', 0);
      expect(took).toBeLessThan(4_000);
      const [row] = await undelivered(stage);
      expect(row?.deliveryEndedAt).toBeDefined();
      await stage.gateway.setFault('ok');
      await expectTakenUp(stage);
      return `exit 0 after ${inSeconds(took)}, handed back, delivered by the next process`;
    },
  },
  {
    name: 'sigterm-both-hang',
    nothingToName: LEAVES,
    what: 'SIGTERM while neither the gateway nor Convex answers, DRAIN_TIMEOUT_MS=1s: exit 0 within 3 s',
    async run() {
      const stage = await setUp({ env: { DRAIN_TIMEOUT_MS: '1s' } });
      await stage.gateway.setFault('hang');
      await ask(stage, 'please look at this');
      await runUnderWay(stage);
      await stage.backend.setFault({ mode: 'hang' });
      const took = await leave(stage.runtime, 'SIGTERM', 0);
      expect(took).toBeLessThan(3_000);
      await stage.gateway.setFault('ok');
      await stage.backend.setFault({ mode: 'ok' });
      await expectTakenUp(stage);
      return `exit 0 after ${inSeconds(took)}, delivered by the next process`;
    },
  },
  {
    name: 'second-signal',
    nothingToName: LEAVES,
    what: 'a second SIGTERM during a drain of a minute: the run is cut off, the row handed back, exit 0 at once',
    async run() {
      const stage = await setUp({ env: { DRAIN_TIMEOUT_MS: '1m' } });
      await stage.gateway.setFault('hang');
      await ask(stage, 'please look at this');
      await runUnderWay(stage);
      stage.runtime.kill('SIGTERM');
      // A second signal that comes sooner counts as an echo of the first one.
      await stage.runtime.waitForHealth('that a second signal counts', ({ machines }) =>
        machines.some(({ value }) => JSON.stringify(value) === '{"draining":{"quiescing":"finishing"}}'),
      );
      const took = await leave(stage.runtime, 'SIGTERM', 0);
      expect(took).toBeLessThan(3_000);
      const [row] = await undelivered(stage);
      expect(row?.deliveryEndedAt).toBeDefined();
      return `exit 0 after ${inSeconds(took)}, handed back`;
    },
  },
  {
    name: 'sigkill-in-run',
    nothingToName: KILLED,
    what: 'SIGKILL during a run: the next process runs it once more and remembers the first attempt',
    async run() {
      const stage = await setUp({ runMs: 1_000 });
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      stage.runtime.kill('SIGKILL');
      await stage.runtime.exited;
      const next = await expectTakenUp(stage);
      const line = await next.waitForLog('the delivery', ({ event }) => event === 'delivery.delivered');
      expect(line.attempt).toBe(2);
      expect(await replies(stage, taskId)).toHaveLength(1);
      return `2 runs, attempt ${String(line.attempt)} in the log, one reply`;
    },
  },
  {
    name: 'sigkill-before-post',
    nothingToName: KILLED,
    what: 'SIGKILL when the reply is there but not posted: the next process posts it and does not run it again',
    quick: true,
    async run() {
      const { stage, relay } = await setUpHangingPost();
      stage.runtime.kill('SIGKILL');
      await stage.runtime.exited;
      relay.judge(() => 'pass');
      const taskId = stage.backend.taskIds[0] ?? '';
      await expectTakenUp(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      expect(await mostRuns(stage)).toBe(1);
      return '1 run, one reply';
    },
  },
  ownCrash('own-crash', 'an exception', 'SIGWINCH', 'uncaughtException'),
  ownCrash('own-rejection', 'a rejected promise', 'SIGIO', 'unhandledRejection'),
  {
    name: 'frozen',
    nothingToName: 'a stopped process answers nobody, and is well as soon as it goes on',
    what: 'the process is stopped for 30 s (SIGSTOP) and goes on (SIGCONT): nothing is lost or doubled',
    limit: 90,
    async run(_test, trouble) {
      const stage = await setUp({ runMs: 500 });
      for (let task = 0; task < 3; task++) await ask(stage, 'please look at this', task);
      await runUnderWay(stage);
      stage.runtime.kill('SIGSTOP');
      await ask(stage, 'and this');
      await delay(30_000);
      stage.runtime.kill('SIGCONT');
      trouble.ends();
      const took = await allDelivered(stage);
      await expectGoodOrder(stage);
      const runs = await mostRuns(stage);
      expect(runs).toBe(1);
      return `${runs} run each, all delivered ${inSeconds(took)} after`;
    },
  },
];

/** A runtime that has a reply in its hands and cannot post it. */
async function setUpHangingPost() {
  const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
  const relay = await relayTo(backend.url);
  const posts = ['createMessageFromAgent', 'completeDelivery'];
  relay.judge(({ name }) => (posts.includes(name) ? 'hang' : 'pass'));
  const runtime = await startRuntime({ backend: { ...backend, url: relay.url }, gateway });
  const stage: Stage = { backend: { ...backend, url: relay.url }, gateway, runtime };
  await ask(stage, 'please look at this');
  await within(20, 'The reply is on its way', () => posts.some((name) => relay.count(name) > 0));
  return { stage, relay };
}
