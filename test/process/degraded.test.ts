import { describe, expect, onTestFinished, test } from 'vitest';
import { startRuntime, temporaryDirectory, type Health } from '../kits/runtime.ts';
import { freePort } from '../../src/local/free-port.ts';
import { echoGateway, missionControl, portOf, useBackend } from '../kits/stack.ts';
import type { BackendKind, MissionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const isHealthy = ({ status }: Health): boolean => status === 'healthy';
const isDegraded = ({ status }: Health): boolean => status === 'degraded';

/** Asks the engineer on the first task. @returns what waits for the reply */
async function ask(backend: MissionControl, text: string): Promise<() => Promise<void>> {
  const task = backend.taskIds[0] ?? '';
  await backend.postMessage(task, `@engineer ${text}`);
  return async () => {
    const reply = `echo from engineer: engineer ${text}`;
    await until(`The reply to "${text}" is in the thread`, async () =>
      (await backend.listThread(task)).some(({ content }) => content === reply),
    );
  };
}

const later = (timestamp: string | null): boolean => timestamp !== null && Date.parse(timestamp) > Date.now();

describe('the gateway', () => {
  test('is absent at the start: /health says why and when it tries again, and delivery begins when the gateway is there', async () => {
    const backend = await missionControl();
    const port = await freePort();
    const address = { url: `http://127.0.0.1:${port}`, token: 'local' };
    const replied = await ask(backend, 'are you there?');
    const runtime = await startRuntime({ backend, gateway: address });

    const health = await runtime.waitForHealth(
      'that the gateway is away',
      ({ gateway }) => gateway.state === 'degraded' && later(gateway.nextTryAt),
    );
    // A gateway that waits for a healthy runtime must not wait for ever.
    expect(health.httpStatus).toBe(200);
    expect(health.status).toBe('degraded');
    expect(health.reason).toContain(address.url);
    expect(health.gateway.reason).toContain(address.url);
    expect(Date.parse(health.gateway.since ?? '')).toBeLessThanOrEqual(Date.now());
    expect(health.problems).toMatchObject([{ source: 'gateway', problem: health.reason }]);
    expect(await runtime.get('/readyz')).toMatchObject({ status: 200 });
    await until(
      'Mission Control knows that',
      async () => (await backend.showRuntime()).runtimeStatus === 'degraded',
    );

    await echoGateway({ port });
    await replied();
    await runtime.waitForHealth('that all is well', isHealthy);
    await until(
      'Mission Control knows',
      async () => (await backend.showRuntime()).runtimeStatus === 'online',
    );
  });

  test('goes and comes back: rows wait for it', async () => {
    const backend = await missionControl();
    const first = await echoGateway();
    const runtime = await startRuntime({ backend, gateway: first });
    await (
      await ask(backend, 'one')
    )();

    await first.close();
    await runtime.waitForHealth('that the gateway is away', ({ gateway }) => gateway.state === 'degraded');
    const replied = await ask(backend, 'two');
    await echoGateway({ port: portOf(first) });
    await replied();
    const { delivery } = await runtime.waitForHealth('that all is well', isHealthy);
    expect(delivery).toMatchObject({ failed: 0, parked: 0 });
  });

  test('lacks an agent of Mission Control: a problem names it and what to do, until it is there', async () => {
    const backend = await missionControl();
    const gateway = await echoGateway({ agents: ['squad-lead', 'engineer'] });
    const runtime = await startRuntime({ backend, gateway });
    const task = backend.taskIds[0] ?? '';
    await backend.postMessage(task, '@qa are you there?');
    const { problems, agentSync } = await runtime.waitForHealth('who is missing', ({ problems: all }) =>
      all.some(({ problem }) => problem.includes('@qa')),
    );
    expect(agentSync.missing).toEqual(['qa']);
    expect(problems).toMatchObject([
      {
        source: 'agentSync',
        problem: expect.stringContaining("add it to agents.entries in the gateway's openclaw.json") as string,
        nextTryAt: expect.any(String) as string,
      },
    ]);
    await gateway.close();
    await echoGateway({ port: portOf(gateway) });
    await runtime.waitForHealth('that all is well', isHealthy);
    await until('The message is answered', async () =>
      (await backend.listThread(task)).some(({ content }) => content === 'echo from qa: qa are you there?'),
    );
  });

  test('refuses our token: the reason names the setting', async () => {
    const backend = await missionControl();
    const port = await freePort();
    await ask(backend, 'let me in');
    const address = { url: `http://127.0.0.1:${port}`, token: 'not-the-token' };
    const runtime = await startRuntime({ backend, gateway: address });
    const away = await runtime.waitForHealth(
      'that it is away',
      ({ gateway }) => gateway.state === 'degraded',
    );
    const gateway = await echoGateway({ port });
    const health = await runtime.waitForHealth(
      'that the gateway refuses us',
      ({ gateway: { state, nextTryAt } }) => state === 'refused' && later(nextTryAt),
    );
    expect(health).toMatchObject({ status: 'degraded', httpStatus: 200 });
    expect(health.gateway.reason).toContain('OPENCLAW_GATEWAY_TOKEN');
    expect(health.gateway.reason).not.toContain('not-the-token');
    expect(health.machines.find(({ id }) => id === 'gateway')?.tags).toContain('attention');
    // This problem is not the one from before.
    const sinceOf = ({ problems: [first] }: Health): number => Date.parse(first?.since ?? '');
    expect(sinceOf(health)).toBeGreaterThan(sinceOf(away));
    expect((await gateway.runs()).runs).toEqual([]);
    // Nothing can be delivered before a person acts.
    expect(await runtime.get('/readyz')).toMatchObject({ status: 503 });
  });

  test('is not configured: everything but delivery works', async () => {
    const backend = await missionControl();
    await ask(backend, 'anybody?');
    const runtime = await startRuntime({ backend, env: { OPENCLAW_GATEWAY_URL: '' } });
    const health = await runtime.waitForHealth('agents', ({ agentSync }) => agentSync.agents === 3);
    expect(health).toMatchObject({
      status: 'degraded',
      httpStatus: 200,
      versions: { openclaw: 'unknown' },
      gateway: { state: 'disabled', url: null, nextTryAt: null },
      heartbeat: { agents: 3 },
    });
    expect(health.reason).toContain('OPENCLAW_GATEWAY_URL');
    const { runtimeStatus, runtimeConfig } = await until('The status is reported', async () => {
      const shown = await backend.showRuntime();
      return shown.runtimeConfig !== undefined && shown;
    });
    expect(runtimeStatus).toBe('degraded');
    expect(runtimeConfig?.openclawVersion).toBe('unknown');
    expect((await backend.agentRows()).at(-1)).not.toHaveProperty('deliveredAt');
  });
});

describe('Convex', () => {
  test('is absent at the start, then there', async () => {
    const dataDir = temporaryDirectory();
    const past = await missionControl({ dataDir });
    await past.close();
    const gateway = await echoGateway();
    const runtime = await startRuntime({ backend: past, gateway });
    const health = await runtime.waitForHealth(
      'that Convex is away, also for delivery',
      ({ status, delivery }) => status === 'degraded' && delivery.lastErrorMessage !== null,
    );
    expect(health.httpStatus).toBe(200);
    expect(health.reason).toContain(past.url);
    expect(health.delivery.lastErrorMessage).toContain('CONVEX_URL');

    const secret = past.serviceToken.split('_').at(-1) ?? '';
    const backend = await missionControl({ port: portOf(past), secret, dataDir });
    await (
      await ask(backend, 'good morning')
    )();
    await runtime.waitForHealth('that all is well', isHealthy);
  });

  test('goes away while there is nothing to do: /health says so long before the next poll, and says as soon that it is back', async () => {
    const dataDir = temporaryDirectory();
    const backend = await missionControl({ dataDir });
    const gateway = await echoGateway();
    const waits = { DELIVERY_INTERVAL: '1h', DELIVERY_BACKOFF_BASE_MS: '1h', DELIVERY_BACKOFF_MAX_MS: '1h' };
    const runtime = await startRuntime({ backend, gateway, env: { ...waits, HEALTH_CHECK_INTERVAL: '1m' } });
    await runtime.waitForHealth('that all is well', isHealthy);
    await backend.close();
    const health = await runtime.waitForHealth('that Convex is away', isDegraded);
    expect(health.reason).toContain(backend.url);
    const secret = backend.serviceToken.split('_').at(-1) ?? '';
    await missionControl({ port: portOf(backend), secret, dataDir });
    await runtime.waitForHealth('that all is well again', isHealthy);
  });

  test('takes calls and answers none: /health says so long before the calls time out', async () => {
    const backend = await missionControl();
    const runtime = await startRuntime({ backend, gateway: await echoGateway() });
    await runtime.waitForHealth('that all is well', isHealthy);
    await backend.setFault({ mode: 'hang' });
    const health = await runtime.waitForHealth('that Convex hangs', ({ problems }) =>
      problems.some(({ source }) => source === 'backend'),
    );
    expect(health.status).toBe('degraded');
    expect(health.reason).toMatch(/Convex has not answered \w+ for 10 s/);
  });

  test.each<BackendKind>(['plain', 'extended'])(
    'is stopped (SIGSTOP) while nothing is to do, with the settings as they come (%s): told, and well again',
    async (kind) => {
      useBackend(kind);
      const backend = await missionControl();
      useBackend('plain');
      const env = { DELIVERY_INTERVAL: '15s', HEALTH_CHECK_INTERVAL: '30s' };
      const runtime = await startRuntime({ backend, gateway: await echoGateway(), env });
      await runtime.waitForHealth('that all is well', isHealthy);
      process.kill(backend.pid, 'SIGSTOP');
      onTestFinished(() => void process.kill(backend.pid, 'SIGCONT'));
      // The pulse notices it. A call of the runtime itself would come later and take longer.
      const { status, problems } = await runtime.waitForHealth('that Convex is silent', (health) =>
        health.problems.some(({ source }) => source === 'pulse'),
      );
      expect(status).toBe('degraded');
      expect(problems.map(({ problem }) => problem).join()).toContain(
        'takes connections and does not answer',
      );
      expect(problems.map(({ source }) => source)).not.toContain('backend');
      process.kill(backend.pid, 'SIGCONT');
      await runtime.waitForHealth('that all is well again', isHealthy);
    },
  );

  test('answers 500 for a while', async () => {
    const backend = await missionControl();
    const gateway = await echoGateway();
    const runtime = await startRuntime({ backend, gateway });
    await runtime.waitForHealth('that all is well', isHealthy);
    await backend.setFault({ mode: '500' });
    const health = await runtime.waitForHealth(
      'that polling backs off',
      ({ delivery }) => delivery.consecutiveFailures > 1,
    );
    expect(health).toMatchObject({ status: 'degraded', httpStatus: 200 });
    expect(health.delivery.lastErrorMessage).toContain('HTTP 500');
    expect(health.delivery.lastErrorAt).not.toBeNull();
    await backend.setFault({ mode: 'ok' });
    await (
      await ask(backend, 'better?')
    )();
    const after = await runtime.waitForHealth('that all is well', isHealthy);
    expect(after.delivery.consecutiveFailures).toBe(0);
  });

  test('refuses our token: stays up and says so', async () => {
    const backend = await missionControl();
    const gateway = await echoGateway();
    const stranger = `mc_service_${backend.accountId}_${'0'.repeat(64)}`;
    const runtime = await startRuntime({ backend: { ...backend, serviceToken: stranger }, gateway });
    const health = await runtime.waitForHealth(
      'that the token is refused',
      ({ status, delivery }) => status === 'failed' && later(delivery.nextPollAt),
    );
    // A person must act, so /health fails. A restart would not help, so /livez does not fail.
    expect(health.httpStatus).toBe(503);
    expect(await runtime.get('/livez')).toMatchObject({ status: 200 });
    expect(await runtime.get('/readyz')).toMatchObject({ status: 503 });
    expect(health.machines.find(({ id }) => id === 'delivery')?.tags).toContain('attention');
    expect(health.reason).toContain('SERVICE_TOKEN');
    expect(health.reason).not.toContain('0000000');
  });
});
