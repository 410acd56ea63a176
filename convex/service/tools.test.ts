import { expect, test } from 'vitest';
import { carrying, createBackend, service } from '../testing.setup.ts';

async function withCreator() {
  const backend = await createBackend();
  await backend.setFlags(backend.qa, { canCreateTasks: true });
  return {
    ...backend,
    create: (task: object) =>
      backend.t.action(service.createTaskFromAgent, {
        ...backend.auth,
        agentId: backend.qa,
        title: 'Try it',
        ...task,
      }),
  };
}

test('an agent that may creates a task', async () => {
  const backend = await withCreator();
  const { taskId } = await backend.create({ assignedAgentIds: [backend.engineer] });
  expect(await backend.t.run((ctx) => ctx.db.get('tasks', taskId))).toMatchObject({
    status: 'assigned',
    assignedAgentIds: [backend.engineer],
    createdBy: backend.qa,
  });
  expect(await backend.queue()).toMatchObject([
    { type: 'assignment', recipientId: backend.engineer, taskId },
  ]);
});

test('a task that starts at once is its creator’s', async () => {
  const backend = await withCreator();
  const { taskId } = await backend.create({ status: 'in_progress' });
  expect(await backend.t.run((ctx) => ctx.db.get('tasks', taskId))).toMatchObject({
    status: 'in_progress',
    assignedAgentIds: [backend.qa],
  });
});

test('what a new task may not be', async () => {
  const backend = await withCreator();
  await expect(backend.create({ status: 'blocked' })).rejects.toThrow('Invalid status at creation:');
  await expect(backend.create({ title: ' ' })).rejects.toThrow('Title is required');
  await expect(backend.create({ title: 'x'.repeat(2001) })).rejects.toThrow('Title too long');
  await backend.t.run((ctx) => ctx.db.delete('agents', backend.engineer));
  await expect(backend.create({ assignedAgentIds: [backend.engineer] })).rejects.toMatchObject(
    carrying('INVALID', `Invalid agent: ${backend.engineer}`),
  );
});

test('gates', async () => {
  const backend = await createBackend();
  const { auth, engineer: agentId, bug: taskId } = backend;
  await expect(
    backend.t.action(service.createTaskFromAgent, { ...auth, agentId, title: 'No' }),
  ).rejects.toThrow('Forbidden: Agent is not allowed to create tasks');
  await expect(
    backend.t.action(service.listTaskThreadForAgentTool, { ...auth, agentId, taskId }),
  ).rejects.toThrow('Forbidden: Only the orchestrator can read threads');
  await expect(
    backend.t.action(service.deleteTaskFromAgent, { ...auth, agentId, taskId, reason: '' }),
  ).rejects.toThrow('Forbidden: Only the orchestrator can archive/delete tasks');
});

test('the orchestrator reads a thread: the newest messages, oldest first', async () => {
  const backend = await createBackend();
  for (const content of ['one', 'two', 'three']) await backend.say(backend.bug, content);
  const thread = await backend.t.action(service.listTaskThreadForAgentTool, {
    ...backend.auth,
    agentId: backend.lead,
    taskId: backend.bug,
    limit: 2,
  });
  expect(thread.map(({ content }) => content)).toEqual(['two', 'three']);
});
