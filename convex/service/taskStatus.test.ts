import { expect, test } from 'vitest';
import type { Id } from '../_generated/dataModel.js';
import { carrying, createBackend, service } from '../testing.setup.ts';

type Backend = Awaited<ReturnType<typeof createBackend>>;

const move = (backend: Backend, agentId: Id<'agents'>, status: string, extra: object = {}) =>
  backend.t.action(service.updateTaskStatusFromAgent, {
    ...backend.auth,
    taskId: backend.bug,
    agentId,
    status,
    ...extra,
  });

test('walks from assigned over in_progress to review, and tells of the end alone', async () => {
  const backend = await createBackend();
  await backend.patchTask(backend.bug, {
    status: 'assigned',
    assignedAgentIds: [backend.engineer, backend.qa],
    assignedUserIds: ['demo-user'],
  });
  expect(await move(backend, backend.engineer, 'review')).toMatchObject({
    success: true,
    taskId: backend.bug,
    requestedStatus: 'review',
    status: 'review',
    changed: true,
  });
  const rows = await backend.t.run((ctx) => ctx.db.query('notifications').take(50));
  const told = rows.filter(({ type }) => type === 'status_change').map(({ recipientId }) => recipientId);
  expect(new Set(told)).toEqual(new Set([backend.qa, 'demo-user']));
  expect(told).toHaveLength(2);
});

test('does nothing when the task is not where the caller thinks, or there already', async () => {
  const backend = await createBackend();
  const unmoved = { success: true, status: 'in_progress', changed: false };
  expect(await move(backend, backend.engineer, 'review', { expectedStatus: 'assigned' })).toMatchObject(
    unmoved,
  );
  expect(await move(backend, backend.engineer, 'in_progress')).toMatchObject(unmoved);
});

test('keeps a reason while the task is blocked', async () => {
  const backend = await createBackend();
  await expect(move(backend, backend.engineer, 'blocked')).rejects.toThrow(
    "Invalid status change: Cannot move to 'blocked' without a reason",
  );
  const task = () => backend.t.run((ctx) => ctx.db.get('tasks', backend.bug));
  await move(backend, backend.engineer, 'blocked', { blockedReason: 'no access' });
  expect(await task()).toMatchObject({ status: 'blocked', blockedReason: 'no access' });
  await move(backend, backend.engineer, 'in_progress');
  expect(await task()).not.toHaveProperty('blockedReason');
});

test('refusals', async () => {
  const backend = await createBackend();
  await expect(move(backend, backend.engineer, 'inbox')).rejects.toMatchObject(
    carrying('INVALID', 'Invalid status: must be in_progress, review, done, or blocked'),
  );
  await backend.patchTask(backend.bug, { status: 'inbox' });
  await expect(move(backend, backend.engineer, 'review')).rejects.toMatchObject(
    carrying('INVALID', "Invalid transition: Cannot move from 'inbox' to 'review'"),
  );
  await backend.patchTask(backend.bug, { status: 'assigned', assignedAgentIds: [] });
  await expect(move(backend, backend.engineer, 'in_progress')).rejects.toThrow(
    "Invalid status change: Cannot move to 'in_progress' without at least one assignee",
  );
  await backend.setFlags(backend.engineer, {});
  await expect(move(backend, backend.engineer, 'review')).rejects.toMatchObject(
    carrying('FORBIDDEN', 'Forbidden: Agent is not allowed to modify task status'),
  );
});

test('who may call a task done', async () => {
  const backend = await createBackend();
  await expect(move(backend, backend.qa, 'done')).rejects.toThrow(
    'Forbidden: Task must be in review before marking done',
  );
  await backend.patchTask(backend.bug, { status: 'review' });
  await expect(move(backend, backend.lead, 'done')).rejects.toThrow(
    'Forbidden: QA must approve and mark tasks as done',
  );

  await backend.t.run((ctx) => ctx.db.patch('agents', backend.qa, { slug: 'tester', role: 'Tester' }));
  await expect(move(backend, backend.engineer, 'done')).rejects.toThrow(
    'Forbidden: Only the orchestrator can mark tasks as done',
  );
  expect(await move(backend, backend.lead, 'done')).toMatchObject({ status: 'done', changed: true });

  await backend.patchTask(backend.bug, { status: 'review' });
  await backend.t.run((ctx) => ctx.db.patch('accounts', backend.auth.accountId, { settings: {} }));
  await expect(move(backend, backend.lead, 'done')).rejects.toThrow(
    'Forbidden: Orchestrator must be set to mark tasks as done',
  );
});
