import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { mountSmall } from '../../kits/mount.ts';
import { spawnRuntime, startRuntime } from '../../kits/runtime.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import { FULL_DISK, needsPrlimit, setDiskFull } from '../full-disk.ts';
import {
  allDelivered,
  ask,
  expectGoodOrder,
  mostRuns,
  replies,
  runsPerRow,
  runUnderWay,
  setUp,
  undelivered,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

/** @returns the runtime's words */
async function expectRefusal(env: Record<string, string>): Promise<string> {
  const runtime = spawnRuntime({ env: { ...NOBODY, ...env } });
  expect(await runtime.exited).toEqual({ code: 78, signal: null });
  expect(runtime.noise).toEqual([]);
  const words = runtime.stderr().trim();
  expect(words.split('\n')).toHaveLength(1);
  expect(words).toContain('STATE_DIR');
  return words;
}

const NOBODY = {
  STATE_LOCK_WAIT: '1s',
  ACCOUNT_ID: 'acc1',
  CONVEX_URL: 'http://127.0.0.1:1',
  SERVICE_TOKEN: `mc_service_acc1_${'ab'.repeat(32)}`,
};

export const journalCases: readonly FaultCase[] = [
  {
    name: 'state-dir-read-only',
    what: 'STATE_DIR cannot be made: exit 78 with one sentence',
    nothingToName: 'a process that does not start has no /health: its sentence names STATE_DIR',
    async run() {
      // Not even root may make a directory there.
      await expectRefusal({ STATE_DIR: '/sys/mission-control-state' });
      return 'exit 78';
    },
  },
  {
    name: 'disk-full-at-start',
    what: 'the disk is full at the start: exit 78 with one sentence',
    nothingToName: 'a process that does not start has no /health: its sentence names STATE_DIR',
    quick: true,
    async run(test) {
      needsPrlimit(test);
      await expectRefusal(FULL_DISK);
      return 'exit 78';
    },
  },
  {
    name: 'disk-full',
    what: 'the disk gets full: a run under way is posted, none begins, /health names STATE_DIR; space again, all goes on',
    names: /STATE_DIR/,
    quick: true,
    async run(test, trouble) {
      needsPrlimit(test);
      const stage = await setUp({ runMs: 1_500 });
      const { runtime, backend } = stage;
      const first = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      setDiskFull(runtime.pid, true);
      trouble.begins();
      const second = await ask(stage, 'and this', 1);
      const { reason } = await runtime.waitForHealth('the full disk', ({ status }) => status === 'degraded');
      expect(reason).toContain('STATE_DIR');
      await within(20, 'The first reply is posted', async () => (await replies(stage, first)).length === 1);
      await runtime.waitForHealth('rows that wait', ({ delivery }) => delivery.queued > 0);
      await within(
        20,
        'Mission Control knows',
        async () => (await backend.showRuntime()).runtimeStatus === 'degraded',
      );
      const waiting = (await undelivered(stage)).find(
        (row) => row.taskId === second && row.type === 'mention',
      );
      expect((await runsPerRow(stage)).has(waiting?._id ?? '')).toBe(false);
      setDiskFull(runtime.pid, false);
      trouble.ends();
      const took = await allDelivered(stage);
      await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
      await expectGoodOrder(stage);
      expect(await mostRuns(stage)).toBe(1);
      return `0 runs began while full, all delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'disk-full-optional',
    what: 'the disk is full from the start, JOURNAL=optional: delivery goes on, and /health says so',
    names: /STATE_DIR/,
    async run(test, trouble) {
      needsPrlimit(test);
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const env = { ...FULL_DISK, JOURNAL: 'optional' };
      trouble.begins();
      const runtime = await startRuntime({ backend, gateway, env });
      const stage = { backend, gateway, runtime };
      await ask(stage, 'please look at this');
      const took = await allDelivered(stage);
      expect((await runtime.health()).reason).toMatch(/STATE_DIR.*JOURNAL=optional/s);
      await runtime.waitForLog('it', ({ event }) => event === 'journal.degraded');
      setDiskFull(runtime.pid, false);
      trouble.ends();
      await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
      await expectGoodOrder(stage);
      return `delivered in ${inSeconds(took)}, degraded while full, healthy after`;
    },
  },
  {
    name: 'disk-small',
    what: 'STATE_DIR on 400 KB: 300 notifications of 300 sessions are delivered, and the journal is small again',
    nothingToName: 'little space is enough',
    limit: 240,
    async run(test) {
      const STATE_DIR = mountSmall(test, 400);
      const stage = await setUp({ sessions: 300, env: { STATE_DIR, DELIVERY_LIST_LIMIT: '500' } });
      const took = await allDelivered(stage, 200);
      expect((await stage.backend.agentRows()).length).toBeGreaterThanOrEqual(300);
      expect(await mostRuns(stage)).toBe(1);
      expect(stage.runtime.log.filter(({ event }) => event === 'journal.degraded')).toEqual([]);
      const bytes = (): number =>
        readdirSync(STATE_DIR).reduce((sum, name) => sum + statSync(join(STATE_DIR, name)).size, 0);
      await within(10, 'The journal of an idle runtime has less than 100 KB', () => bytes() < 100_000);
      await expectGoodOrder(stage);
      return `all delivered in ${inSeconds(took)}, ${Math.round(bytes() / 1_000)} KB are left`;
    },
  },
  {
    name: 'two-processes',
    what: 'a second process on the same STATE_DIR: exit 78 with one sentence, the first goes on',
    nothingToName:
      'the first process has no trouble; the second has no /health, and its sentence names the first',
    async run() {
      const stage = await setUp();
      for (const JOURNAL of ['required', 'optional']) {
        const words = await expectRefusal({ STATE_DIR: stage.runtime.stateDir, JOURNAL });
        expect(words).toContain(String(stage.runtime.pid));
        expect(words).not.toContain('directory of its own');
      }
      await ask(stage, 'please look at this');
      await allDelivered(stage);
      await expectGoodOrder(stage);
      return 'exit 78, and a delivery by the first';
    },
  },
];
