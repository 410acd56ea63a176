import { expect, test } from 'vitest';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const SESSIONS = 20;
/** Beside the assignment that each task begins with. */
const MENTIONS = 9;

test('200 notifications over 20 sessions: in order, one at a time, each once', async () => {
  const backend = await missionControl({ extraTasks: SESSIONS });
  const gateway = await echoGateway();
  const engineer = (await backend.listAgents()).find(({ slug }) => slug === 'engineer');
  const tasks = backend.tasks.filter(({ title }) => title.startsWith('Extra task'));
  const mention = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n++) {
      for (const { _id } of tasks) await backend.postMessage(_id, `n=${n} @engineer`);
    }
  };

  // Half of the messages wait when the runtime starts; the other half comes while it works.
  await mention(1, 4);
  const runtime = await startRuntime({ backend, gateway });
  await mention(5, MENTIONS);
  const allDelivered = async () => {
    const all = await backend.agentRows();
    return all.every(({ deliveredAt }) => deliveredAt !== undefined) && all;
  };
  const rows = await until('All rows are delivered', allDelivered, 60_000);

  const { runs, maxOpenPerSession } = await gateway.runs();
  const threads = await Promise.all(tasks.map(({ _id }) => backend.listThread(_id)));
  const expected = tasks.map(({ _id }) =>
    rows
      .filter(({ taskId, recipientId }) => taskId === _id && recipientId === engineer?._id)
      .map((row) => row._id),
  );
  expect(expected.flat()).toHaveLength(SESSIONS * (MENTIONS + 1));
  const sent = tasks.map(({ _id }) =>
    runs.filter(({ sessionKey }) => sessionKey.startsWith(`agent:engineer:task:${_id}:`.toLowerCase())),
  );
  expect(sent.map((own) => own.map(({ notificationId }) => notificationId))).toEqual(expected);
  expect(new Set(runs.map(({ outcome }) => outcome))).toEqual(new Set(['completed']));
  expect(Math.max(...Object.values(maxOpenPerSession))).toBe(1);

  for (const thread of threads) {
    const replies = thread.filter(({ authorType }) => authorType === 'agent').map(({ content }) => content);
    expect(replies).toEqual([
      expect.stringContaining('echo from engineer'),
      ...Array.from({ length: MENTIONS }, (_, n) => `echo from engineer: n=${n + 1} engineer`),
    ]);
  }
  const ids = new Set(tasks.map(({ _id }) => _id));
  const after = (await backend.listTasks()).filter(({ _id }) => ids.has(_id));
  expect(after.map(({ status }) => status)).toEqual(tasks.map(() => 'in_progress'));
  expect(await runtime.health()).toMatchObject({
    status: 'healthy',
    delivery: { failed: 0, parked: 0, consecutiveFailures: 0 },
  });
}, 90_000);
