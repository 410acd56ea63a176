/** Two processes on one account, each with its own STATE_DIR, as in a rolling update or by mistake. */
import { expect, test } from 'vitest';
import { holdGateway } from '../kits/held-gateway.ts';
import { replies, REPLY, theRow, type Scene } from '../kits/mid-run.ts';
import { startRuntime, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, type MissionControl, type Row } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const MESSAGES = 30;
const TASKS = 20;

/** Waits until it says that there is another runtime. @returns the sentence */
async function noticed(runtime: RuntimeProcess): Promise<string> {
  const { status, problems } = await runtime.waitForHealth('the other runtime', (health) =>
    health.problems.some(({ source }) => source === 'otherRuntime'),
  );
  expect(status).toBe('degraded');
  const logged = runtime.log.filter(({ event }) => event === 'otherRuntime.degraded');
  const problem = problems.find(({ source }) => source === 'otherRuntime')?.problem ?? '';
  expect(logged.map(({ message }) => message)).toEqual([problem]);
  return problem;
}

const mentions = async (backend: MissionControl): Promise<Row[]> =>
  (await backend.agentRows()).filter(({ type }) => type === 'mention');

/** 30 messages on 20 tasks, and all of them answered. @returns the ids of their notifications */
async function answerThirty(backend: MissionControl): Promise<string[]> {
  const taskIds = backend.taskIds.slice(-TASKS);
  for (let n = 0; n < MESSAGES; n += 1) {
    await backend.postMessage(taskIds[n % TASKS] ?? '', `@engineer message ${n}`);
  }
  const rows = await until('All messages are answered', async () => {
    const found = await mentions(backend);
    return found.length === MESSAGES && found.every(({ deliveredAt }) => deliveredAt !== undefined) && found;
  });
  for (const taskId of taskIds) {
    const thread = await backend.listThread(taskId);
    const asked = thread.filter(({ content }) => content.startsWith('@engineer message '));
    const answers = thread.filter(({ content }) =>
      content.startsWith('echo from engineer: engineer message '),
    );
    expect(answers).toHaveLength(asked.length);
  }
  return rows.map(({ _id }) => _id);
}

async function two(backend: MissionControl) {
  const gateway = await echoGateway();
  await gateway.setFault('ok', 500);
  const first = await startRuntime({ backend, gateway });
  const second = await startRuntime({ backend, gateway });
  return { gateway, first, second };
}

test('a backend that lends rows: 30 messages are 30 runs, and both say that they share the account', async () => {
  const backend = await missionControl({ extraTasks: TASKS, extensions: true });
  const { gateway, first, second } = await two(backend);
  for (const runtime of [first, second]) {
    expect(await noticed(runtime)).toBe(
      'Another runtime works on this account. Mission Control lends each notification to one of them, but both beat ' +
        'for every agent. Unless an update is under way, stop one of them, because an account has one runtime at a time.',
    );
  }
  const ids = await answerThirty(backend);
  const { runs, maxOpenPerSession } = await gateway.runs();
  const times = (id: string) => runs.filter(({ notificationId }) => notificationId === id).length;
  expect(ids.map(times)).toEqual(ids.map(() => 1));
  expect(Math.max(...Object.values(maxOpenPerSession))).toBe(1);

  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
  await first.waitForHealth('that it is alone', ({ problems }) => problems.length === 0);
  expect((await backend.showRuntime()).runtimeStatus).toBe('online');
});

test('a backend that lends nothing: both say within a minute that everything is run twice', async () => {
  const backend = await missionControl({ extraTasks: TASKS, extensions: false });
  const { first, second } = await two(backend);
  const answered = answerThirty(backend);
  const problems = await Promise.all([first, second].map(noticed));
  for (const problem of problems) {
    expect(problem).toMatch(
      /^Another runtime works on this account: [^:]*\. Both run every notification, and each run is paid for, so stop one of them, because an account has one runtime at a time\.$/,
    );
  }
  await answered;
});

test('a rolling update: the old one gives back what it has not begun, and nobody hears of a gap', async () => {
  const backend = await missionControl({ extensions: true });
  const echo = await echoGateway();
  const held = await holdGateway(echo);
  const env = { DELIVERY_MAX_CONCURRENT_SESSIONS: '1' };
  // The rows come first, because a runtime whose only slot is taken lists again only after a while.
  for (const taskId of backend.taskIds) await backend.postMessage(taskId, '@engineer go on');
  const old = await startRuntime({ backend, gateway: held, env });
  await held.runHeld();
  await old.waitForHealth('rows that wait', ({ delivery }) => delivery.queued >= backend.taskIds.length - 1);
  const next = await startRuntime({ backend, gateway: echo });
  await noticed(next);

  old.kill('SIGTERM');
  // The old one still works on the row that it has begun.
  await until('The new one has answered the rest', async () => {
    const open = (await backend.agentRows()).filter(({ deliveredAt }) => deliveredAt === undefined);
    return open.length === 1;
  });
  held.release();
  expect(await old.exited).toEqual({ code: 0, signal: null });
  await until('Everything is answered', async () =>
    (await backend.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
  );
  const { runs } = await echo.runs();
  const ids = runs.flatMap(({ notificationId }) => notificationId ?? []);
  expect(ids).toHaveLength(new Set(ids).size);
  expect((await backend.showRuntime()).runtimeStatus).toBe('online');
});

test('a runtime that was killed goes on with its rows at once, because they are lent to its STATE_DIR', async () => {
  const backend = await missionControl({ extensions: true });
  const echo = await echoGateway();
  const held = await holdGateway(echo);
  const runtime = await startRuntime({ backend, gateway: held });
  for (const taskId of backend.taskIds) await backend.postMessage(taskId, '@engineer go on');
  await held.runHeld();
  const left = async () =>
    (await backend.agentRows()).filter(({ deliveredAt }) => deliveredAt === undefined).length;
  await until('It has all of them', async () => {
    const { inFlight, queued } = (await runtime.health()).delivery;
    return inFlight + queued === (await left());
  });
  const before = await left();
  runtime.kill('SIGKILL');
  await runtime.exited;

  const stranger = await startRuntime({ backend, gateway: echo });
  await noticed(stranger);
  expect(await left()).toBe(before);
  const next = await startRuntime({ backend, gateway: echo, env: { STATE_DIR: runtime.stateDir } });
  await until('Everything is answered', async () => (await left()) === 0);
  const settled = ({ log }: RuntimeProcess) =>
    log.filter(({ event }) => event === 'delivery.delivered').length;
  expect([settled(stranger), settled(next) > 0]).toEqual([0, true]);
});

/** Two replicas of one account, on a backend that lends nothing (docs/reference/kubernetes.md#one-replica). */
test('two runtimes on one account both run a notification, and the thread has its reply once', async () => {
  const backend = await missionControl({ extensions: false });
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
