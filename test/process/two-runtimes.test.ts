import { expect, test } from 'vitest';
import { holdGateway } from '../kits/held-gateway.ts';
import { replies, REPLY, theRow, type Scene } from '../kits/mid-run.ts';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** What two replicas of one account come to (docs/reference/kubernetes.md#one-replica): each has a STATE_DIR of its own. */
test('two runtimes on one account both run a notification, and its reply stands in the thread once', async () => {
  const backend = await missionControl();
  const echo = await echoGateway();
  const gateway = await holdGateway(echo);
  const other = await holdGateway(echo);
  const runtime = await startRuntime({ backend, gateway });
  await startRuntime({ backend, gateway: other });
  const taskId = backend.taskIds[0] ?? '';
  await backend.postMessage(taskId, '@engineer work on it');
  await Promise.all([gateway.runHeld(), other.runHeld()]);

  gateway.release();
  other.release();
  const scene: Scene = { backend, gateway, runtime, taskId };
  const row = await until('The row is marked', async () => {
    const found = await theRow(scene);
    return found?.deliveredAt !== undefined && found;
  });
  await until('Both runs are over', async () => {
    const { runs } = await echo.runs();
    return (
      runs.filter(({ notificationId, outcome }) => notificationId === row._id && outcome === 'completed')
        .length === 2
    );
  });
  expect(await replies(scene)).toEqual([REPLY]);
});
