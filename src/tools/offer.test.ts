import { expect, test } from 'vitest';
import type { ActingAgent, ToolMode } from '../../machines/shared/acting.ts';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { catalog } from './catalog/catalog.ts';
import { toolsFor } from './offer.ts';

const names = (agent: ActingAgent, mode: ToolMode = 'on'): string[] =>
  toolsFor(agent, mode).map(({ name }) => name);

const NO_TASK = { taskId: null, taskStatus: null };
const WITHOUT_TASK = ['document_upsert', 'document_list', 'get_agent_skills', 'task_load'];
const WITH_TASK = [
  'task_status',
  'task_update',
  'document_upsert',
  'document_list',
  'response_request',
  'get_agent_skills',
  'task_load',
  'task_history',
];
const ORCHESTRATOR = [
  'task_assign',
  'task_message',
  'task_list',
  'task_get',
  'task_thread',
  'task_search',
  'task_delete',
  'task_link_pr',
];
const ALL_OFF = {
  canCreateTasks: false,
  canModifyTaskStatus: false,
  canCreateDocuments: false,
  canMentionAgents: false,
  canReviewTasks: false,
  canMarkDone: false,
};

test('seventeen tools, each with a name of its own', () => {
  expect(new Set(catalog.map(({ name }) => name)).size).toBe(17);
});

test('an agent with the default flags', () => {
  expect(names(actingAgent())).toEqual(WITH_TASK);
  expect(names(actingAgent(NO_TASK))).toEqual(WITHOUT_TASK);
  expect(names(actingAgent({ inBeat: true }))).toEqual(WITH_TASK);
});

test('an agent that may create tasks has one more', () => {
  const flags = { canCreateTasks: true };
  expect(names(actingAgent({ flags }))).toEqual(WITH_TASK.toSpliced(2, 0, 'task_create'));
  expect(names(actingAgent({ flags, ...NO_TASK }))).toEqual(['task_create', ...WITHOUT_TASK]);
});

test('the orchestrator has eight more, also without a task', () => {
  expect(names(actingAgent({ isOrchestrator: true }))).toEqual([...WITH_TASK, ...ORCHESTRATOR]);
  expect(names(actingAgent({ isOrchestrator: true, ...NO_TASK }))).toEqual([
    ...WITHOUT_TASK,
    ...ORCHESTRATOR,
  ]);
  const all = { isOrchestrator: true, flags: { canCreateTasks: true } };
  expect(names(actingAgent(all))).toHaveLength(17);
  expect(names(actingAgent({ ...all, ...NO_TASK }))).toHaveLength(13);
});

test('with all flags off an agent only reads', () => {
  expect(names(actingAgent({ flags: ALL_OFF }))).toEqual([
    'document_list',
    'get_agent_skills',
    'task_load',
    'task_history',
  ]);
  expect(names(actingAgent({ flags: ALL_OFF, ...NO_TASK }))).toEqual(['get_agent_skills', 'task_load']);
});

test('AGENT_TOOLS=read leaves what only reads, off leaves nothing', () => {
  const reading = ['document_list', 'get_agent_skills', 'task_load', 'task_history'];
  const more = ['task_list', 'task_get', 'task_thread', 'task_search'];
  expect(names(actingAgent(), 'read')).toEqual(reading);
  expect(names(actingAgent(NO_TASK), 'read')).toEqual(reading.slice(0, 3));
  expect(names(actingAgent({ isOrchestrator: true }), 'read')).toEqual([...reading, ...more]);
  expect(names(actingAgent({ isOrchestrator: true, ...NO_TASK }), 'read')).toHaveLength(7);
  expect(names(actingAgent({ isOrchestrator: true }), 'off')).toEqual([]);
});

const requiredOf = (agent: ActingAgent, name: string): unknown =>
  toolsFor(agent, 'on').find((tool) => tool.name === name)?.parameters.required;

test('every schema is an object that the gateway takes', () => {
  const everything = actingAgent({ isOrchestrator: true, flags: { canCreateTasks: true } });
  for (const { type, name, description, parameters } of toolsFor(everything, 'on')) {
    expect(type).toBe('function');
    expect(name).toMatch(/^[a-z_]+$/);
    expect(description.length).toBeGreaterThan(20);
    expect(parameters).toMatchObject({ type: 'object', properties: expect.any(Object) as object });
  }
});

test('a task need not be named where there is one, but for what is expensive to get wrong', () => {
  const lead = { isOrchestrator: true };
  expect(requiredOf(actingAgent(lead), 'task_get')).toBeUndefined();
  expect(requiredOf(actingAgent({ ...lead, ...NO_TASK }), 'task_get')).toEqual(['taskId']);
  expect(requiredOf(actingAgent(lead), 'task_delete')).toEqual(['taskId', 'reason']);
  expect(requiredOf(actingAgent(lead), 'task_message')).toEqual(['taskId', 'content']);
});

test('done is told only to those who may, and never in a heartbeat', () => {
  const statuses = (agent: ActingAgent) =>
    toolsFor(agent, 'on')
      .filter(({ name }) => name === 'task_status' || name === 'task_update')
      .map(({ parameters }) => (parameters.properties as { status: { enum: string[] } }).status.enum);
  const without = ['in_progress', 'review', 'blocked'];
  const flags = { canMarkDone: true };
  expect(statuses(actingAgent())).toEqual([without, without]);
  expect(statuses(actingAgent({ flags, inBeat: true }))).toEqual([without, without]);
  expect(statuses(actingAgent({ flags }))[0]).toContain('done');
});
