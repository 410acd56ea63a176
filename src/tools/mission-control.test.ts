/** Every tool against the local Mission Control, over HTTP, by the client that the runtime uses. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActingAgent } from '../../machines/shared/acting.ts';
import { startBackend, type Backend } from '../local/mission-control/spawn.ts';
import { createMissionControl, type MissionControlClient } from '../mission-control/mission-control.ts';
import { catalog } from './catalog/catalog.ts';
import { createExecute } from './execute.ts';

let backend: Backend;
let client: MissionControlClient;
let lead: ActingAgent;
let bug: string;
const called = new Set<string>();

beforeAll(async () => {
  backend = await startBackend();
  const { url, accountId, serviceToken } = backend;
  client = createMissionControl({ url, accountId, serviceToken, maxConcurrent: 4 });
  const roster = await client.listAgents();
  const known = roster.map(({ _id, slug }) => ({ _id, slug }));
  const agent = roster.find(({ slug }) => slug === 'squad-lead');
  const [task] = await client.listOrchestratorTasks(['in_progress'], 10);
  if (agent === undefined || task === undefined) throw new Error('the seed has a lead and a task');
  bug = task._id;
  lead = {
    agentId: agent._id,
    slug: agent.slug,
    isOrchestrator: true,
    flags: { ...agent.effectiveBehaviorFlags, canCreateTasks: true },
    taskId: bug,
    taskStatus: task.status,
    inBeat: false,
    known,
  };
});
afterAll(async () => {
  await client.close();
  await backend.close();
});

async function use(name: string, args: object = {}, agent = lead) {
  const execute = createExecute({
    service: client.tools,
    mode: 'on',
    onBug: (tool, error) => {
      throw new Error(`${tool} failed`, { cause: error });
    },
  });
  const call = { callId: 'c', name, arguments: JSON.stringify(args) };
  const { signal } = new AbortController();
  const { output } = await execute(call, agent, { repeat: false, since: null, signal });
  called.add(name);
  return JSON.parse(output) as { ok: boolean; data: Record<string, unknown>; error?: { code: string } };
}

const works = async (name: string, args: object = {}): Promise<Record<string, unknown>> => {
  const { ok, data, error } = await use(name, args);
  expect({ ok, error }).toEqual({ ok: true, error: undefined });
  return data;
};

test('a task is read, searched and listed', async () => {
  expect(await works('task_load')).toMatchObject({ task: { _id: bug }, thread: [] });
  expect(await works('task_get')).toMatchObject({ task: { _id: bug } });
  expect(await works('task_search', { query: 'LOGIN' })).toMatchObject({ tasks: [{ _id: bug }] });
  expect(await works('task_list', { assigneeSlug: '@engineer' })).toMatchObject({ tasks: [{ _id: bug }] });
  expect(await works('task_thread')).toEqual({ thread: [] });
  expect(await works('get_agent_skills', { agentId: 'engineer' })).toMatchObject({
    agents: [{ agentId: 'engineer', skillCount: 1 }],
  });
});

test('documents are written and stay with their task', async () => {
  const document = { title: 'Report', content: 'All of it.', type: 'deliverable' };
  const { documentId } = await works('document_upsert', document);
  await works('document_upsert', { ...document, content: 'More of it.', documentId });
  expect(await works('document_list', { taskId: bug })).toMatchObject({
    documents: [{ _id: documentId, title: 'Report', taskId: bug }],
  });
});

test('colleagues are asked once', async () => {
  const args = { recipientSlugs: ['engineer'], message: 'How far are you?' };
  expect(await works('response_request', args)).toMatchObject({ asked: ['engineer'] });
  expect(await works('response_request', args)).toMatchObject({
    asked: [],
    askedAlreadyAndNotAnswered: ['engineer'],
  });
});

test('a task is changed, moved, assigned and given up, and its history says by whom', async () => {
  expect(await works('task_update', { priority: 'low', labels: ['web'] })).toMatchObject({
    changedFields: expect.arrayContaining(['priority', 'labels']) as string[],
  });
  await works('task_assign', { assigneeSlugs: ['qa'] });
  await works('task_update', { assignedAgentIds: ['engineer'] });
  await works('task_link_pr', { prNumber: 12 });
  expect(await works('task_status', { status: 'review' })).toMatchObject({ status: 'review', changed: true });
  await works('task_message', { taskId: bug, content: 'It is in review.' });
  const { activities } = await works('task_history');
  expect(activities).toContainEqual(
    expect.objectContaining({
      type: 'task_status_changed',
      actorName: 'Squad Lead',
      meta: { oldStatus: 'in_progress', newStatus: 'review' },
    }),
  );
  await works('task_delete', { taskId: bug, reason: 'fixed elsewhere' });
  expect(await works('task_get')).toMatchObject({ task: { status: 'archived' } });
});

test('what Mission Control refuses is told by its meaning', async () => {
  expect(await use('task_create', { title: 'New' })).toMatchObject({ error: { code: 'not_allowed' } });
  expect(await use('task_status', { status: 'review' })).toMatchObject({ error: { code: 'conflict' } });
  expect(await use('task_load', { taskId: 'k0000' })).toMatchObject({ ok: false });
});

test('no tool was left out', () => {
  expect([...called].sort()).toEqual(catalog.map(({ name }) => name).sort());
});
