import { expect, test } from 'vitest';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { kindOf, statusBefore } from './call.ts';

const call = (name: string, args: unknown) => ({ callId: 'c', name, arguments: JSON.stringify(args) });
const agent = actingAgent();

test('a call that cannot be read is of a kind that changes nothing', () => {
  const broken = { callId: 'c', name: 'task_status', arguments: '{' };
  expect(kindOf(broken, agent)).toBe('read');
});

test('a document is made without an id and set with one', () => {
  const document = { title: 'a', content: 'b', type: 'note' };
  expect(kindOf(call('document_upsert', document), agent)).toBe('make');
  expect(kindOf(call('document_upsert', { ...document, documentId: 'd1' }), agent)).toBe('set');
  expect(kindOf(call('task_status', { status: 'review' }), agent)).toBe('set');
  expect(kindOf(call('task_load', {}), agent)).toBe('read');
});

test('the status before a call is what the run knows last', () => {
  const moved = (taskId: string, status: string) =>
    JSON.stringify({ tool: 'task_status', ok: true, data: { taskId, status, changed: true } });
  const next = call('task_status', { status: 'review' });
  expect(statusBefore(next, agent, [])).toBe('in_progress');
  expect(statusBefore(next, agent, [moved('task1', 'blocked'), moved('task2', 'done')])).toBe('blocked');
  expect(statusBefore(call('task_status', { taskId: 'task3', status: 'review' }), agent, [])).toBeNull();
  expect(statusBefore(call('task_load', {}), agent, [])).toBeNull();
});
