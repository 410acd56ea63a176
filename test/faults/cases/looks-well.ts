/** What looks well and is not: /health says so, and by whose name. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { startRuntime } from '../../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import { answers, assign, said, setScene } from '../scene.ts';
import { allDelivered, ask, DEFAULT_WAITS, replies } from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

export const looksWellCases: readonly FaultCase[] = [
  {
    name: 'agent-missing',
    what: 'the gateway lacks an agent of Mission Control: named with what to do, until it is there; its message waits',
    names: /@qa/,
    limit: 120,
    async run(_test, trouble) {
      const backend = await missionControl();
      const gateway = await echoGateway({ agents: ['squad-lead', 'engineer'] });
      trouble.begins();
      const runtime = await startRuntime({ backend, gateway });
      const taskId = backend.taskIds[0] ?? '';
      await backend.postMessage(taskId, '@qa are you there?');
      await runtime.waitForHealth('who is missing, and what to do', ({ problems }) =>
        problems.some(({ problem }) => problem.includes('openclaw.json')),
      );
      await delay(5_000);
      expect(await replies({ backend }, taskId)).toEqual([]);
      await gateway.close();
      await echoGateway({ port: portOf(gateway) });
      trouble.ends();
      const took = await within(60, 'The message is answered', async () =>
        (await replies({ backend }, taskId)).some((words) => words.includes('are you there?')),
      );
      return `0 notes, answered ${inSeconds(took)} after the agent was there`;
    },
  },
  {
    name: 'run-hangs',
    what: 'a run is open and the gateway sends nothing, STALL_AFTER=3s: the run is named, with its limit and last sign',
    names: /run of engineer on "Silent" is open/,
    async run(_test, trouble) {
      let isOver = false;
      let finish = (): void => undefined;
      const scene = await setScene(
        ({ prompt }) =>
          prompt.includes('Silent') && !isOver
            ? { kind: 'writes', write: (response) => void (finish = () => void response.end(LATE)) }
            : answers('Done.', 10),
        { env: { STALL_AFTER: '3s' } },
      );
      const taskId = await assign(scene, 'engineer', 'Silent');
      trouble.begins();
      const { sessions } = await scene.runtime.waitForHealth('the silence', ({ problems }) =>
        problems.some(({ source }) => source.startsWith('run:')),
      );
      const run = sessions.shown.find(({ until }) => until !== null);
      expect(run).toMatchObject({ until: expect.any(String) as string });
      await delay(5_000);
      isOver = true;
      trouble.ends();
      finish();
      const took = await within(20, 'It is answered', async () => (await said(scene, taskId)).length > 0);
      expect(await said(scene, taskId)).toEqual(['Late.']);
      return `its limit is on /health (${run?.until ?? 'none'}), answered ${inSeconds(took)} after the first word`;
    },
  },
  {
    name: 'convex-stopped',
    what: 'Convex is stopped (SIGSTOP) with default settings: named, and well again when it goes on',
    names: /does not answer|has not answered/,
    limit: 120,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const env = { ...DEFAULT_WAITS, HEALTH_CHECK_INTERVAL: '30s' };
      const runtime = await startRuntime({ backend, gateway, env });
      await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
      process.kill(backend.pid, 'SIGSTOP');
      trouble.begins();
      await delay(25_000);
      process.kill(backend.pid, 'SIGCONT');
      trouble.ends();
      await ask({ backend }, 'please look at this');
      const took = await allDelivered({ backend }, 60);
      return `stopped for 25 s, delivered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'service-token-refused',
    what: 'Mission Control refuses SERVICE_TOKEN: failed, /readyz 503, the process stays',
    names: /SERVICE_TOKEN/,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const serviceToken = `mc_service_${backend.accountId}_${'0'.repeat(64)}`;
      trouble.begins();
      const runtime = await startRuntime({ backend: { ...backend, serviceToken }, gateway });
      await runtime.waitForHealth('that it has failed', ({ status }) => status === 'failed');
      await delay(5_000);
      expect(await runtime.get('/readyz')).toMatchObject({ status: 503 });
      expect(await runtime.get('/livez')).toMatchObject({ status: 200 });
      // Only another start can mend it.
      runtime.kill('SIGTERM');
      expect((await runtime.exited).code).toBe(0);
      return 'failed, /readyz 503, /livez 200';
    },
  },
];

const LATE = JSON.stringify({
  object: 'response',
  status: 'completed',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Late.' }] }],
});
