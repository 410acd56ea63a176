import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { proxyTo } from '../../kits/proxy.ts';
import { startRuntime } from '../../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../../kits/stack.ts';
import type { FaultCase, Trouble } from '../case.ts';
import {
  allDelivered,
  ask,
  DEFAULT_WAITS,
  expectGoodOrder,
  mostRuns,
  openRuns,
  replies,
  runUnderWay,
  setUp,
  undelivered,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

/** The gateway fails in one way for a while, and every row is delivered afterwards. */
async function ailFor(
  mode: '500' | '503' | '401' | 'hang',
  seconds: number,
  env: Record<string, string>,
  trouble: Trouble,
) {
  const stage = await setUp({ env });
  await stage.runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  await stage.gateway.setFault(mode);
  trouble.begins();
  for (let task = 0; task < 3; task++) await ask(stage, 'please look at this', task);
  await delay(seconds * 1_000);
  const runs = await mostRuns(stage);
  const report = await stage.runtime.health();
  expect(report.status).toBe('degraded');
  expect(await undelivered(stage)).not.toEqual([]);
  const ready = (await stage.runtime.get('/readyz')).status;
  await stage.gateway.setFault('ok');
  trouble.ends();
  const took = await allDelivered(stage, 90);
  await expectGoodOrder(stage);
  return { runs, report, ready, took };
}

export const gatewayCases: readonly FaultCase[] = [
  {
    name: 'gateway-killed',
    what: 'the gateway is killed in the middle of runs and started again: every row is delivered, each reply once',
    names: /does not answer/,
    async run(_test, trouble) {
      const stage = await setUp({ sessions: 6, runMs: 1_500 });
      await runUnderWay(stage, 6);
      trouble.begins();
      stage.gateway.kill('SIGKILL');
      await stage.gateway.exited;
      await stage.runtime.waitForHealth('that the gateway is gone', ({ status }) => status === 'degraded');
      const gateway = await echoGateway({ port: portOf(stage.gateway) });
      trouble.ends();
      const took = await allDelivered(stage, 50);
      await expectGoodOrder({ ...stage, gateway });
      const runs = await mostRuns({ ...stage, gateway });
      expect(runs).toBe(1);
      return `6 runs cut off, each run once more, all delivered ${inSeconds(took)} after the start`;
    },
  },
  {
    name: 'gateway-500',
    what: 'the gateway answers 500 to everything for 30 s, with default settings: a handful of runs, nothing parked',
    names: /model provider|runs of engineer/,
    limit: 150,
    async run(_test, trouble) {
      const { runs, took } = await ailFor('500', 30, DEFAULT_WAITS, trouble);
      expect(runs).toBeLessThanOrEqual(5);
      return `at most ${runs} runs of a row in 30 s, 0 parked, all delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'gateway-503',
    what: 'the gateway takes no runs (503) for 4 s: no attempt is spent, the row waits',
    names: /gateway/i,
    async run(_test, trouble) {
      const { report, took } = await ailFor('503', 4, {}, trouble);
      expect(report.delivery.failed).toBe(0);
      expect(report.delivery.waiting).toBeGreaterThanOrEqual(3);
      return `0 failed runs in 4 s, all delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'gateway-401',
    what: 'the gateway refuses our token for 5 s: no run, attention, slow retry',
    names: /OPENCLAW_GATEWAY_TOKEN/,
    async run(_test, trouble) {
      const { report, runs, ready, took } = await ailFor('401', 5, {}, trouble);
      expect(report.gateway.state).toBe('refused');
      expect(ready, '/readyz').toBe(503);
      expect(report.reason).toContain('OPENCLAW_GATEWAY_TOKEN');
      expect(runs).toBe(0);
      return `0 runs, state refused, all delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'gateway-hang',
    what: 'the gateway takes runs and never answers, OPENCLAW_REQUEST_TIMEOUT_MS=5000: never two requests of a session',
    names: /model provider|runs of engineer/,
    limit: 120,
    async run(_test, trouble) {
      const { runs, took } = await ailFor('hang', 12, { OPENCLAW_REQUEST_TIMEOUT_MS: '5000' }, trouble);
      expect(runs).toBeLessThanOrEqual(4);
      return `at most ${runs} runs of a row in 12 s, all delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'gateway-black-hole',
    what: 'the network swallows all packets in the middle of a run: the run is given up, the row delivered after',
    names: /gateway/i,
    limit: 90,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      await gateway.setFault('ok', 1_000);
      const proxy = await proxyTo(gateway.url);
      const runtime = await startRuntime({
        backend,
        gateway: { ...gateway, url: proxy.url },
        env: { OPENCLAW_REQUEST_TIMEOUT_MS: '5000' },
      });
      const stage = { backend, gateway, runtime };
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      proxy.set({ kind: 'blackHole' });
      trouble.begins();
      await runtime.waitForHealth('that it is degraded', ({ status }) => status === 'degraded');
      await within(20, 'The run is given up', async () => (await openRuns(stage)).length === 0);
      proxy.set({ kind: 'none' });
      trouble.ends();
      const took = await allDelivered(stage, 40);
      await expectGoodOrder(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      return `${await mostRuns(stage)} runs, one reply, delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'gateway-slow-body',
    what: 'the answer drips in, 40 bytes at a time: the reply is whole and was run once',
    nothingToName: 'a slow answer is an answer',
    async run() {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const proxy = await proxyTo(gateway.url);
      const runtime = await startRuntime({ backend, gateway: { ...gateway, url: proxy.url } });
      const stage = { backend, gateway, runtime };
      await runtime.waitForHealth('a gateway', (health) => health.gateway.state === 'connected');
      proxy.set({ kind: 'drip', bytes: 40, everyMs: 20 });
      const words = 'one two three four five six seven '.repeat(4).trim();
      const taskId = await ask(stage, words);
      const took = await allDelivered(stage);
      await expectGoodOrder(stage);
      expect(await replies(stage, taskId)).toEqual([`echo from engineer: engineer ${words}`]);
      expect(await mostRuns(stage)).toBe(1);
      return `${proxy.passed()} bytes, 1 run, delivered in ${inSeconds(took)}`;
    },
  },
  {
    name: 'gateway-reset',
    what: 'the connection breaks in the middle of an answer: an attempt, and the next one brings the reply',
    nothingToName: 'one failed run, and the next one succeeds',
    quick: true,
    async run() {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const proxy = await proxyTo(gateway.url);
      const runtime = await startRuntime({ backend, gateway: { ...gateway, url: proxy.url } });
      const stage = { backend, gateway, runtime };
      await gateway.setFault('ok', 1_000);
      const before = proxy.passed();
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      await within(10, 'The run began', () => proxy.passed() > before + 500);
      proxy.set({ kind: 'reset' });
      await within(10, 'The run is cut off', async () => (await openRuns(stage)).length === 0);
      proxy.set({ kind: 'none' });
      const took = await allDelivered(stage);
      await expectGoodOrder(stage);
      expect(await replies(stage, taskId)).toHaveLength(1);
      const runs = await mostRuns(stage);
      expect(runs).toBe(2);
      return `${runs} runs, one reply, delivered ${inSeconds(took)} after`;
    },
  },
];
