import { describe, expect, test } from 'vitest';
import { startRuntime } from '../kits/runtime.ts';
import { midRun, replies, REPLY, startAgain } from '../kits/mid-run.ts';

describe('SIGKILL', () => {
  test('in the middle of a run: the next process runs it again and remembers the attempt', async () => {
    const scene = await midRun();
    scene.runtime.kill('SIGKILL');
    expect(await scene.runtime.exited).toEqual({ code: null, signal: 'SIGKILL' });
    scene.gateway.release();
    expect(await startAgain(scene)).toMatchObject({ event: 'delivery.delivered', attempt: 2 });
    expect(await replies(scene)).toEqual([REPLY]);
  });

  test('after the reply and before the mark: nothing is run again, and the thread has the reply once', async () => {
    const scene = await midRun();
    const { backend, runtime } = scene;
    await backend.setFault({ path: 'service/actions:markNotificationDelivered', mode: 'hang' });
    scene.gateway.release();
    await runtime.waitForHealth('that it marks', ({ sessions }) =>
      sessions.shown.some(({ value }) => JSON.stringify(value).includes('marking')),
    );
    runtime.kill('SIGKILL');
    await runtime.exited;
    await backend.setFault({ mode: 'ok' });
    const delivered = await startAgain(scene);
    expect(delivered).toMatchObject({ event: 'delivery.delivered', attempt: 1 });
    expect(delivered).not.toHaveProperty('durationMs');
    expect(await replies(scene)).toEqual([REPLY]);
  });

  test('after the run and before the reply is posted: the reply is not lost, nothing is run again', async () => {
    const scene = await midRun();
    const { backend, runtime } = scene;
    await backend.setFault({ path: 'service/actions:createMessageFromAgent', mode: '500' });
    scene.gateway.release();
    await runtime.waitForHealth('that posting fails', ({ sessions }) =>
      sessions.shown.some(({ value }) => /posting.*resting/.test(JSON.stringify(value))),
    );
    runtime.kill('SIGKILL');
    await runtime.exited;
    await backend.setFault({ mode: 'ok' });
    const delivered = await startAgain(scene);
    expect(delivered).toMatchObject({ event: 'delivery.delivered', attempt: 1 });
    expect(delivered).not.toHaveProperty('durationMs');
    expect(await replies(scene)).toEqual([REPLY]);
  });

  test('the next process says what it finds', async () => {
    const scene = await midRun();
    scene.runtime.kill('SIGKILL');
    await scene.runtime.exited;
    const { backend, gateway, runtime } = scene;
    const next = await startRuntime({ backend, gateway, env: { STATE_DIR: runtime.stateDir } });
    expect(next.log.find(({ event }) => event === 'journal.leftover')).toMatchObject({
      level: 'info',
      message: '1 notification of an earlier process is unfinished: 1 run to repeat.',
    });
    gateway.release();
  });
});
