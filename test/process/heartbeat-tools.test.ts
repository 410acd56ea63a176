/** Real processes: the runtime, an echo gateway, and Mission Control. */
import { expect, test } from 'vitest';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** In minutes. The first beat comes within 0.4 of this time. */
const OFTEN = 0.05;

async function world(env: Record<string, string> = {}) {
  const backend = await missionControl();
  await backend.setProfile({
    slug: 'engineer',
    heartbeatInterval: OFTEN,
    behaviorFlags: { canCreateTasks: true },
  });
  // The engineer's only task.
  const [taskId = ''] = backend.taskIds;
  await backend.postMessage(taskId, '@engineer ECHO_BEAT_TOOL:task_status {"status":"review"}');
  const gateway = await echoGateway();
  const runtime = await startRuntime({ backend, gateway, env });
  const statusOf = async () => (await backend.listTasks()).find(({ _id }) => _id === taskId)?.status;
  const beats = async () =>
    (await gateway.runs()).runs.filter(({ sessionKey, outcome }) =>
      sessionKey.includes(':system:agent:engineer:') && outcome !== null ? [sessionKey] : false,
    );
  return { runtime, beats, statusOf };
}

test('in its heartbeat an agent moves its task with a tool', async () => {
  const { runtime, beats, statusOf } = await world();
  await until('The task is in review', async () => (await statusOf()) === 'review', 60_000);
  expect((await beats())[0]?.tools).toContain('task_create');
  expect(
    await until('The call is in the log', () => runtime.log.find(({ event }) => event === 'tool.called')),
  ).toMatchObject({
    level: 'info',
    tool: 'task_status',
    outcome: 'ok',
    agent: 'engineer',
  });
}, 90_000);

test('AGENT_TOOLS=off offers none', async () => {
  const { beats, statusOf } = await world({ AGENT_TOOLS: 'off' });
  const first = await until('A beat was made', async () => (await beats())[0], 60_000);
  expect(first.tools).toEqual([]);
  expect(await statusOf()).not.toBe('review');
}, 90_000);
