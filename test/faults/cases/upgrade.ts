import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import * as v from 'valibot';
import { startRuntime, temporaryDirectory, type RuntimeProcess } from '../../kits/runtime.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import {
  ask,
  allDelivered,
  replies,
  runUnderWay,
  setUp,
  startAgain,
  undelivered,
  type Stage,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

const requestUpgrade = ({ backend }: Stage, targetRuntimeVersion: string): Promise<unknown> =>
  backend.call('demo/actions:requestUpgrade', { targetRuntimeVersion, strategy: 'immediate' });

const reported = (runtime: RuntimeProcess) =>
  runtime.waitForLog('that it has reported', ({ event }) => event === 'status.reported');

/** How often a process has asked for a pending upgrade; an extended backend says so in its answer to a report. */
async function checks(runtime: RuntimeProcess): Promise<number> {
  const { body } = await runtime.get('/metrics');
  const ofFunction =
    /backend_calls_total\{function="(?:getPendingUpgrade|reportStatus)",outcome="ok"\} (\d+)/g;
  return [...body.matchAll(ofFunction)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

const History = v.object({
  runtime: v.object({ upgradeHistory: v.array(v.looseObject({ status: v.string() })) }),
});

export const upgradeCases: readonly FaultCase[] = [
  {
    name: 'requests-unread',
    what: 'getPendingUpgrade fails, and all else works: named, and delivery goes on meanwhile',
    names: /cannot be asked for upgrades/,
    contractOnly: true,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      await backend.setFault({ mode: 'error', path: 'service/actions:getPendingUpgrade' });
      trouble.begins();
      const runtime = await startRuntime({ backend, gateway });
      await runtime.waitForHealth('that it cannot ask', ({ problems }) =>
        problems.some(({ source }) => source === 'requests'),
      );
      await ask({ backend }, 'please look at this');
      await allDelivered({ backend });
      await backend.setFault({ mode: 'ok' });
      trouble.ends();
      await runtime.waitForHealth('that it can', ({ status }) => status === 'healthy');
      return 'all delivered meanwhile';
    },
  },
  {
    name: 'restart-request',
    nothingToName: 'the request is carried out at once',
    what: 'a restart is asked for during a run: it is finished, exit 75; the next process stays',
    async run() {
      const stage = await setUp({ runMs: 1_500 });
      await reported(stage.runtime);
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      await stage.backend.call('demo/actions:requestRestart', {});
      expect(await stage.runtime.exited).toEqual({ code: 75, signal: null });
      expect(await replies(stage, taskId)).toHaveLength(1);
      const next = await startAgain(stage);
      await within(20, 'It has looked twice', async () => (await checks(next)) >= 2);
      return 'exit 75 with the reply posted, once';
    },
  },
  {
    name: 'upgrade-same-image',
    what: 'left for an upgrade and started as the same version: heldBack, no exit loop; a new request clears it',
    names: /9\.9\.9/,
    async run(_test, trouble) {
      const stage = await setUp();
      await reported(stage.runtime);
      await requestUpgrade(stage, '9.9.9');
      expect(await stage.runtime.exited).toEqual({ code: 75, signal: null });
      const second = await startAgain(stage);
      trouble.begins();
      const { upgrade } = await second.waitForHealth(
        'heldBack',
        (health) => health.upgrade.state === 'heldBack',
      );
      expect(upgrade.reason).toContain('9.9.9');
      await within(20, 'It has looked three times', async () => (await checks(second)) >= 3);
      await ask(stage, 'please look at this');
      await allDelivered(stage);
      await requestUpgrade(stage, '9.9.10');
      // It leaves for the new request: nobody is there to be healthy.
      expect(await second.exited).toEqual({ code: 75, signal: null });
      return 'exit 75, heldBack through 3 checks and a delivery, exit 75 for the new request';
    },
  },
  {
    name: 'sigusr2',
    nothingToName: 'the request is carried out at once',
    what: 'SIGUSR2 during a run: it is finished, exit 75',
    async run() {
      const stage = await setUp({ runMs: 1_500 });
      const taskId = await ask(stage, 'please look at this');
      await runUnderWay(stage);
      const signalledAt = performance.now();
      stage.runtime.kill('SIGUSR2');
      expect(await stage.runtime.exited).toEqual({ code: 75, signal: null });
      expect(await replies(stage, taskId)).toHaveLength(1);
      expect(await undelivered(stage)).toEqual(
        expect.not.arrayContaining([expect.objectContaining({ type: 'mention' })]),
      );
      return `exit 75 after ${inSeconds(performance.now() - signalledAt)}, reply posted`;
    },
  },
  {
    name: 'upgrade-result-unreadable',
    nothingToName: 'the result of an earlier upgrade holds up nothing; one warning names the file',
    what: 'upgrade-result.json is a directory: one warning that names it, and the restart that is asked for follows',
    async run() {
      const stateDir = temporaryDirectory();
      mkdirSync(join(stateDir, 'upgrade-result.json'));
      const stage = await setUp({ env: { STATE_DIR: stateDir } });
      await stage.runtime.waitForLog('the warning', ({ event }) => event === 'upgrade.resultLost');
      await within(20, 'It has looked three times', async () => (await checks(stage.runtime)) >= 3);
      await stage.backend.call('demo/actions:requestRestart', {});
      expect(await stage.runtime.exited).toEqual({ code: 75, signal: null });
      const warnings = stage.runtime.log.filter(({ event }) => event === 'upgrade.resultLost');
      expect(warnings).toMatchObject([
        { level: 'warn', message: expect.stringContaining('EISDIR') as string },
      ]);
      return 'one warning, exit 75';
    },
  },
  {
    name: 'upgrade-result',
    nothingToName: 'the result is delivered within seconds',
    what: 'the upgrade script left the mark of a roll-back: Mission Control knows once it answers, the file goes',
    quick: true,
    async run() {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const stateDir = temporaryDirectory();
      const file = join(stateDir, 'upgrade-result.json');
      writeFileSync(file, JSON.stringify(ROLLED_BACK));
      await startRuntime({ backend, gateway, env: { STATE_DIR: stateDir } });
      await within(20, 'The file is gone', () => !existsSync(file));
      const { runtime } = v.parse(History, await backend.call('demo/actions:showRuntime', {}));
      expect(runtime.upgradeHistory.map(({ status }) => status)).toEqual(['rolled_back']);
      return 'one entry in the history: rolled_back';
    },
  },
];

const ROLLED_BACK = {
  status: 'rolled_back',
  fromOpenclawVersion: '2026.9.6',
  toOpenclawVersion: '2026.9.7',
  fromRuntimeVersion: '1.0.0',
  toRuntimeVersion: '1.1.0',
  duration: 90_000,
  error: 'The new image did not become healthy.',
};
