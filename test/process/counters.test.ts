/** The numbers mean what they say: on /health, in the metrics and in the log. */
import { expect, test } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { startContractBackend } from '../kits/contract-backend/spawn.ts';
import { midRun } from '../kits/mid-run.ts';
import { startRuntime, temporaryDirectory, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

async function metric(runtime: RuntimeProcess, series: string): Promise<number> {
  const { body } = await runtime.get('/metrics');
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`There is no ${series}.`);
  return Number(line.slice(series.length));
}

const runsThat = (runtime: RuntimeProcess, outcome: string): Promise<number> =>
  metric(runtime, `mission_control_runs_total{outcome="${outcome}"}`);

const rowsThat = (runtime: RuntimeProcess, outcome: string): Promise<number> =>
  metric(runtime, `mission_control_deliveries_total{outcome="${outcome}"}`);

test('rows that wait for the gateway are counted; replies, silence, missing answers and skipped rows are counted apart', async () => {
  const backend = await startContractBackend();
  await backend.addAgents([{ slug: 'engineer' }]);
  const taskIds = await backend.createTasks({ count: 1, assignees: ['engineer'] });
  // A rule skips this one, because a later message of a person is in the thread.
  await backend.post({ taskIds, content: 'hello' });
  await backend.post({ taskIds, content: '@engineer ECHO_TEXT:HEARTBEAT_OK' });
  await backend.post({ taskIds, content: '@engineer ECHO_EMPTY' });

  const port = await freePort();
  const address = { url: `http://127.0.0.1:${port}`, token: 'local' };
  const runtime = await startRuntime({ backend, gateway: address });
  const closed = await runtime.waitForHealth('all four as waiting', ({ delivery }) => delivery.waiting === 4);
  expect(closed).toMatchObject({ gateway: { state: 'degraded' }, delivery: { inFlight: 0, queued: 4 } });
  expect(await metric(runtime, 'mission_control_waiting')).toBe(4);

  await echoGateway({ port });
  await until('All four are answered', async () => (await backend.countUndelivered()) === 0);
  const { delivery, heartbeat } = await runtime.waitForHealth(
    'that none waits',
    ({ delivery: { waiting, parked } }) => waiting === 0 && parked === 1,
  );
  expect(delivery).toMatchObject({ delivered: 3, posted: 1, silent: 1, skipped: 1, parked: 1 });
  expect(await rowsThat(runtime, 'delivered')).toBe(1);
  expect(await rowsThat(runtime, 'silent')).toBe(1);
  expect(await rowsThat(runtime, 'skipped')).toBe(1);
  expect(await rowsThat(runtime, 'unanswered')).toBe(1);
  expect(await runsThat(runtime, 'replied')).toBe(1);
  expect(await runsThat(runtime, 'noReply')).toBe(3);
  // A heartbeat that is due meanwhile is a run as well.
  expect(await runsThat(runtime, 'silent')).toBeLessThanOrEqual(1 + heartbeat.beats + 1);
  expect(await runsThat(runtime, 'silent')).toBeGreaterThanOrEqual(1);
  await backend.close();
});

test('an open run shows its beginning and its limit', async () => {
  const { runtime, gateway } = await midRun({ OPENCLAW_REQUEST_TIMEOUT_MS: '5m' });
  const { sessions } = await runtime.waitForHealth('an open run', ({ sessions: { shown } }) =>
    shown.some(({ until: limit }) => limit !== null),
  );
  const run = sessions.shown.find(({ until: limit }) => limit !== null);
  expect(Date.parse(run?.until ?? '') - Date.parse(run?.since ?? '')).toBe(300_000);
  expect(Date.parse(run?.since ?? '')).toBeLessThanOrEqual(Date.now());
  gateway.release();
  await runtime.waitForHealth('that none is open', ({ sessions: { shown } }) =>
    shown.every(({ until: limit }) => limit === null),
  );
});

test('the attempt number of a row never goes down in the log', async () => {
  const backend = await missionControl();
  const first = await echoGateway();
  const gateway = { url: first.url, token: first.token };
  const STATE_DIR = temporaryDirectory();
  const task = backend.taskIds[0] ?? '';
  const told: unknown[] = [];
  /** One process, until it says how the row ended for it. */
  const life = async (inIt: (runtime: RuntimeProcess) => Promise<void>): Promise<void> => {
    const rests = { DELIVERY_BACKOFF_BASE_MS: '1h', DELIVERY_BACKOFF_MAX_MS: '1h', DRAIN_TIMEOUT_MS: '1s' };
    const runtime = await startRuntime({ backend, gateway, env: { STATE_DIR, ...rests } });
    await inIt(runtime);
    const row = (await backend.agentRows()).find(({ type }) => type === 'mention');
    runtime.kill('SIGTERM');
    await runtime.exited;
    for (const { event, notificationId, attempt } of runtime.log) {
      if (event.startsWith('delivery.') && notificationId === row?._id) told.push([event, attempt]);
    }
  };
  const isIn = (runtime: RuntimeProcess, state: RegExp): Promise<unknown> =>
    runtime.waitForHealth(`a session in ${state}`, ({ sessions }) =>
      sessions.shown.some(({ value }) => state.test(JSON.stringify(value))),
    );

  // The first run fails, and counts.
  await first.setFault('500');
  await life(async (runtime) => {
    await backend.postMessage(task, '@engineer work on it');
    await runtime.waitForLog('a run that failed', ({ event }) => event === 'run.failed');
    await isIn(runtime, /working.*resting/);
  });
  // The second one is cut off, as the gateway dies: its attempt is given back.
  await first.setFault('hang');
  await life(async (runtime) => {
    await isIn(runtime, /working.*running/);
    await first.close();
    await runtime.waitForHealth('that the gateway is away', ({ gateway: { state } }) => state === 'degraded');
    await isIn(runtime, /working.*resting/);
  });
  // The next one brings the reply, and the row cannot be marked.
  await echoGateway({ port: portOf(first) });
  await backend.setFault({ path: 'service/actions:markNotificationDelivered', mode: '500' });
  await life((runtime) => isIn(runtime, /marking.*resting/).then(() => undefined));
  // The last process has nothing to do but the mark.
  await backend.setFault({ mode: 'ok' });
  await life(async () => {
    await until('The row is marked', async () =>
      (await backend.agentRows()).some(({ type, deliveredAt }) => type === 'mention' && deliveredAt),
    );
  });
  expect(told).toEqual([
    ['delivery.handedBack', 1],
    ['delivery.handedBack', 1],
    ['delivery.handedBack', 2],
    ['delivery.delivered', 2],
  ]);
});
