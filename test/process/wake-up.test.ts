/** New notifications wake delivery if the backend offers it. If not, or if the connection breaks, polling finds them. */
import { expect, onTestFinished, test } from 'vitest';
import {
  startContractBackend,
  type ContractBackend,
  type ContractBackendOptions,
} from '../kits/contract-backend/spawn.ts';
import { startRuntime, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** Polls are so rare that only a wake-up finds a row in time. */
const NO_POLLS = { DELIVERY_INTERVAL: '1h' };

async function contractBackend(options: ContractBackendOptions = {}): Promise<ContractBackend> {
  const backend = await startContractBackend(options);
  onTestFinished(() => backend.close());
  await backend.addAgents([{ slug: 'engineer' }]);
  return backend;
}

const isConnected = (runtime: RuntimeProcess): Promise<unknown> =>
  runtime.waitForHealth('a wake-up', ({ delivery }) => delivery.wakeUp === 'connected');

/** Creates a task and waits until its assignment is delivered. */
async function deliverOne(backend: ContractBackend): Promise<void> {
  await backend.createTasks({ count: 1, assignees: ['engineer'] });
  await until('It is delivered', async () => (await backend.countUndelivered()) === 0);
}

const countLog = ({ log }: RuntimeProcess, event: string): number =>
  log.filter((line) => line.event === event).length;

test('the local backend wakes it, one message after another', async () => {
  const [backend, gateway] = await Promise.all([missionControl({ extensions: true }), echoGateway()]);
  const runtime = await startRuntime({ backend, gateway, env: NO_POLLS });
  await isConnected(runtime);
  for (const text of ['one', 'two', 'three']) {
    await backend.postMessage(backend.taskIds[0] ?? '', `@engineer ${text}`);
    await until('It is answered', async () =>
      (await backend.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
    );
  }
  expect((await runtime.health()).extensions.functions).toContain('wakeUp');
  runtime.kill('SIGTERM');
  expect(await runtime.exited).toEqual({ code: 0, signal: null });
});

test('on the contract alone the runtime says so once, and polls', async () => {
  const [backend, gateway] = await Promise.all([contractBackend(), echoGateway()]);
  const runtime = await startRuntime({ backend, gateway });
  await runtime.waitForHealth('that there is none', ({ delivery }) => delivery.wakeUp === 'absent');
  await deliverOne(backend);
  expect(countLog(runtime, 'extensions.absent')).toBe(1);
  expect((await runtime.health()).extensions).toEqual({ functions: [], reason: null });
});

test('WAKE_UP=off does not subscribe', async () => {
  const [backend, gateway] = await Promise.all([contractBackend({ extended: true }), echoGateway()]);
  const runtime = await startRuntime({ backend, gateway, env: { WAKE_UP: 'off' } });
  await runtime.waitForLog('what there is', ({ event }) => event === 'extensions.known');
  await deliverOne(backend);
  expect((await runtime.health()).delivery.wakeUp).toBe('off');
  expect(await backend.calls()).not.toHaveProperty('wakeUp');
});

test('a row that comes while the connection is lost is delivered, and the next one wakes it again', async () => {
  const [backend, gateway] = await Promise.all([contractBackend({ extended: true }), echoGateway()]);
  const runtime = await startRuntime({ backend, gateway, env: NO_POLLS });
  await isConnected(runtime);
  await backend.disconnect();
  await deliverOne(backend);
  await runtime.waitForLog('the loss', ({ event }) => event === 'wakeUp.lost');
  await isConnected(runtime);
  await deliverOne(backend);
  await until('It was told of both', () => countLog(runtime, 'wakeUp.connected') === 2);
});

test('a backend that was started again wakes it again', async () => {
  const secret = 'ab'.repeat(32);
  const [backend, gateway] = await Promise.all([contractBackend({ extended: true, secret }), echoGateway()]);
  const runtime = await startRuntime({ backend, gateway, env: NO_POLLS });
  await isConnected(runtime);
  await backend.close();
  await runtime.waitForLog('the loss', ({ event }) => event === 'wakeUp.lost');
  const next = await contractBackend({ extended: true, secret, port: portOf(backend) });
  await deliverOne(next);
  await isConnected(runtime);
  await deliverOne(next);
});

test('a subscription that fails is tried again; delivery polls meanwhile', async () => {
  const [backend, gateway] = await Promise.all([contractBackend({ extended: true }), echoGateway()]);
  await backend.setFaults([{ name: 'wakeUp', mode: 'error', count: 3 }]);
  const runtime = await startRuntime({ backend, gateway });
  await runtime.waitForLog('the failure', ({ event }) => event === 'wakeUp.failed');
  await deliverOne(backend);
  await isConnected(runtime);
  expect(countLog(runtime, 'wakeUp.failed')).toBe(3);
  expect((await runtime.health()).status).toBe('healthy');
});
