import { describe, expect, test } from 'vitest';
import {
  expectLastWords,
  midRun,
  replies,
  REPLY,
  secondSignalCounts,
  startAgain,
  theRow,
} from '../kits/mid-run.ts';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';

const STOPPED = { code: 0, signal: null };

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', (signal) => {
  test('ends an idle runtime with 0; Mission Control hears of it', async () => {
    const backend = await missionControl();
    const runtime = await startRuntime({ backend, gateway: await echoGateway() });
    await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    runtime.kill(signal);
    expect(await runtime.exited).toEqual(STOPPED);
    expectLastWords(runtime, 0);
    expect(runtime.log.at(-1)?.message).toContain(signal);
    expect((await backend.showRuntime()).runtimeStatus).toBe('offline');
  });
});

describe('a run is under way', () => {
  test('SIGTERM: it may finish, and until then the runtime says that it drains', async () => {
    const scene = await midRun();
    const { runtime } = scene;
    runtime.kill('SIGTERM');
    const health = await runtime.waitForHealth('that it drains', ({ status }) => status === 'draining');
    expect(health.httpStatus).toBe(503);
    expect(health.delivery.inFlight).toBe(1);
    // The run shows when it is cut off: OPENCLAW_REQUEST_TIMEOUT_MS after it began.
    const [run] = health.sessions.shown;
    expect(Date.parse(run?.until ?? '') - Date.parse(run?.since ?? '')).toBe(600_000);
    const ready = await runtime.get('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.body).toContain('draining');
    expect((await runtime.get('/livez')).status).toBe(200);

    scene.gateway.release();
    expect(await runtime.exited).toEqual(STOPPED);
    expectLastWords(runtime, 0);
    expect(await replies(scene)).toEqual([REPLY]);
    expect((await theRow(scene))?.deliveredAt).toBeDefined();
  });

  test('SIGTERM: a row that has not begun is left', async () => {
    const scene = await midRun();
    const { backend, runtime, taskId } = scene;
    await backend.postMessage(taskId, '@engineer and then this');
    await runtime.waitForHealth('the second row in the queue', ({ delivery }) => delivery.queued > 0);
    runtime.kill('SIGTERM');
    await runtime.waitForHealth('that it drains', ({ status }) => status === 'draining');
    scene.gateway.release();
    expect(await runtime.exited).toEqual(STOPPED);
    expect(await replies(scene)).toEqual([REPLY]);
    const rows = (await backend.agentRows()).filter((row) => row.taskId === taskId && row.type === 'mention');
    expect(rows.map(({ deliveredAt }) => deliveredAt !== undefined)).toEqual([true, false]);
  });

  test('a second signal cuts it off and hands the row back', async () => {
    const scene = await midRun();
    const { runtime } = scene;
    runtime.kill('SIGTERM');
    await secondSignalCounts(scene);
    runtime.kill('SIGINT');
    expect(await runtime.exited).toEqual(STOPPED);
    expectLastWords(runtime, 0);
    expect(await replies(scene)).toEqual([]);
    const row = await theRow(scene);
    expect(row?.deliveredAt).toBeUndefined();
    expect(row?.deliveryEndedAt).toBeDefined();

    // The runtime itself cut it off, so it does not count as an attempt.
    scene.gateway.release();
    expect(await startAgain(scene)).toMatchObject({ event: 'delivery.delivered', attempt: 1 });
    expect(await replies(scene)).toEqual([REPLY]);
  });

  test('the end of DRAIN_TIMEOUT_MS does the same', async () => {
    const scene = await midRun({ DRAIN_TIMEOUT_MS: '50ms' });
    scene.runtime.kill('SIGTERM');
    expect(await scene.runtime.exited).toEqual(STOPPED);
    const row = await theRow(scene);
    expect(row?.deliveredAt).toBeUndefined();
    expect(row?.deliveryEndedAt).toBeDefined();
  });

  test('SIGUSR2: it may finish, then exit 75', async () => {
    const scene = await midRun();
    scene.runtime.kill('SIGUSR2');
    await scene.runtime.waitForHealth('that it drains', ({ status }) => status === 'draining');
    scene.gateway.release();
    expect(await scene.runtime.exited).toEqual({ code: 75, signal: null });
    expectLastWords(scene.runtime, 75);
    expect(await replies(scene)).toEqual([REPLY]);
    // It comes back at once, so nobody is told that it is offline.
    expect((await scene.backend.showRuntime()).runtimeStatus).toBe('online');
  });
});
