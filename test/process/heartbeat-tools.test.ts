/** Real processes: the runtime, an echo gateway, and a backend that counts what is made. */
import { onTestFinished, expect, test } from 'vitest';
import { startContractBackend } from '../kits/contract-backend/spawn.ts';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** Minutes: the first beat comes within 0.4 of it. */
const OFTEN = 0.05;

async function world(env: Record<string, string> = {}) {
  const backend = await startContractBackend();
  onTestFinished(() => backend.close());
  await backend.addAgents([
    { slug: 'engineer', heartbeatInterval: OFTEN, behaviorFlags: { canCreateTasks: true } },
    { slug: 'squad-lead' },
  ]);
  await backend.setOrchestrator('squad-lead');
  const [taskId = ''] = await backend.createTasks({ assignees: ['engineer'] });
  const content = 'ECHO_BEAT_TOOL:task_status {"status":"review"}';
  await backend.post({ taskIds: [taskId], content });
  const gateway = await echoGateway({ agents: ['engineer', 'squad-lead'] });
  const runtime = await startRuntime({ backend, gateway, env });
  const beats = async () =>
    (await gateway.runs()).runs.filter(({ sessionKey, outcome }) =>
      sessionKey.includes(':system:') && outcome !== null ? [sessionKey] : false,
    );
  return { backend, runtime, beats, taskId };
}

test('in its heartbeat an agent moves its task with a tool', async () => {
  const { backend, runtime, beats, taskId } = await world();
  await until(
    'The task is in review',
    async () => (await backend.dump()).tasks.find(({ _id }) => _id === taskId)?.status === 'review',
    60_000,
  );
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
  const { beats, backend, taskId } = await world({ AGENT_TOOLS: 'off' });
  const first = await until('A beat was made', async () => (await beats())[0], 60_000);
  expect(first.tools).toEqual([]);
  expect((await backend.dump()).tasks.find(({ _id }) => _id === taskId)?.status).not.toBe('review');
}, 90_000);
