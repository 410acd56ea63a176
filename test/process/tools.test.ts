/** In real processes agents act in the runs of notifications, and each action is done once. */
import { expect, test } from 'vitest';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

async function world(env: Record<string, string> = {}) {
  const backend = await missionControl();
  const { taskId } = await backend.createTask({ title: 'To be moved', assignedAgentSlugs: ['engineer'] });
  const gateway = await echoGateway();
  const start = (more: Record<string, string> = {}) =>
    startRuntime({ backend, gateway, env: { ...env, ...more } });
  const say = (content: string) => backend.postMessage(taskId, content);
  const statusOf = async () => (await backend.listTasks()).find(({ _id }) => _id === taskId)?.status;
  const isIdle = async () =>
    (await backend.agentRows()).every(
      ({ type, deliveredAt }) => type !== 'mention' || deliveredAt !== undefined,
    );
  return { backend, gateway, start, say, statusOf, isIdle, taskId };
}

test('an agent moves its task with a tool, and its last answer alone reaches the thread', async () => {
  const { start, say, statusOf, isIdle, backend, taskId } = await world();
  const runtime = await start();
  await say('@engineer please move it\nECHO_TOOL:task_status {"status":"review"}');
  await until('The task is in review', async () => (await statusOf()) === 'review');
  await until('All is delivered', isIdle);
  expect(
    runtime.log.find(({ event, tool }) => event === 'tool.called' && tool === 'task_status'),
  ).toMatchObject({
    outcome: 'ok',
    agent: 'engineer',
  });
  const replies = (await backend.listThread(taskId)).filter(({ authorType }) => authorType === 'agent');
  expect(new Set(replies.map(({ content }) => content)).size).toBe(replies.length);
});

test('AGENT_TOOLS=off offers none, and the task stays as it is', async () => {
  const { start, say, statusOf, isIdle, gateway } = await world({ AGENT_TOOLS: 'off' });
  await start();
  await say('@engineer please move it\nECHO_TOOL:task_status {"status":"review"}');
  await until('A run was made', async () => (await gateway.runs()).runs.length > 0);
  await until('All is delivered', isIdle);
  expect((await gateway.runs()).runs.flatMap(({ tools }) => tools)).toEqual([]);
  expect(await statusOf()).not.toBe('review');
});

test('a process that is killed right after the effect of a call leaves exactly one document', async () => {
  const { start, say, isIdle, backend, taskId } = await world();
  const runtime = await start();
  const documents = async () => (await backend.documentsOf(taskId)).filter(({ title }) => title === 'Plan');
  await backend.setFault({ path: 'service/actions:createDocumentFromAgent', mode: 'lost', count: 1 });
  await say(
    '@engineer please write\nECHO_TOOL:document_upsert {"title":"Plan","content":"First this.","type":"note"}',
  );
  await until('The document is there', async () => (await documents()).length > 0);
  runtime.kill('SIGKILL');
  await runtime.exited;
  await start({ STATE_DIR: runtime.stateDir });
  await until('All is delivered', isIdle);
  expect(await documents()).toHaveLength(1);
});
