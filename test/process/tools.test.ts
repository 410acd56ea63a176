/** Real processes: agents act in the runs of notifications, and what they do is done once. */
import { expect, onTestFinished, test } from 'vitest';
import { startContractBackend } from '../kits/contract-backend/spawn.ts';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

async function world(env: Record<string, string> = {}) {
  const backend = await startContractBackend();
  onTestFinished(() => backend.close());
  await backend.addAgents([
    { slug: 'engineer', behaviorFlags: { canCreateTasks: true } },
    { slug: 'squad-lead' },
  ]);
  await backend.setOrchestrator('squad-lead');
  const [taskId = ''] = await backend.createTasks({ assignees: ['engineer'] });
  const gateway = await echoGateway({ agents: ['engineer', 'squad-lead'] });
  const start = (more: Record<string, string> = {}) =>
    startRuntime({ backend, gateway, env: { ...env, ...more } });
  const say = (content: string) => backend.post({ taskIds: [taskId], content });
  const statusOf = async () => (await backend.dump()).tasks.find(({ _id }) => _id === taskId)?.status;
  const isIdle = async () =>
    (await backend.dump()).notifications.every(
      ({ type, recipientType, deliveredAt }) =>
        type !== 'mention' || recipientType !== 'agent' || deliveredAt !== undefined,
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
  const replies = (await backend.dump()).messages.filter(
    (message) => message.taskId === taskId && message.authorType === 'agent',
  );
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

test('a process that is killed behind the effect of a call leaves exactly one document', async () => {
  const { start, say, isIdle, backend } = await world();
  const runtime = await start();
  await backend.setFaults([{ name: 'createDocumentFromAgent', mode: 'lost', count: 1 }]);
  await say(
    '@engineer please write\nECHO_TOOL:document_upsert {"title":"Plan","content":"First this.","type":"note"}',
  );
  await until('The document is there', async () => (await backend.dump()).documents.length > 0);
  runtime.kill('SIGKILL');
  await runtime.exited;
  await start({ STATE_DIR: runtime.stateDir });
  await until('All is delivered', isIdle);
  expect((await backend.dump()).documents).toHaveLength(1);
});
