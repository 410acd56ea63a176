import { expect, test } from 'vitest';
import type { TaskRow, TaskStatus } from '../shared/mission-control.ts';
import { focusTask, namedTask } from './focus.ts';

const task = (id: string, status: TaskStatus, updatedAt: number, lastMessageAt?: number): TaskRow => ({
  _id: id,
  title: id,
  status,
  priority: 3,
  labels: [],
  assignedAgentIds: [],
  assignedUserIds: [],
  updatedAt,
  ...(lastMessageAt !== undefined && { lastMessageAt }),
});

const tasks = [
  task('assigned', 'assigned', 1),
  task('fresh', 'in_progress', 9),
  task('stale', 'in_progress', 2),
  task('talked', 'in_progress', 1, 10),
  task('review', 'review', 0),
];

test('in progress comes first, and the one that rests longest', () => {
  expect(focusTask(tasks, false)?._id).toBe('stale');
});

test('review is for the orchestrator alone', () => {
  const rest = tasks.filter(({ status }) => status !== 'in_progress');
  expect(focusTask(rest, true)?._id).toBe('review');
  expect(focusTask(rest, false)?._id).toBe('assigned');
});

test('nothing to look at is no focus', () => {
  expect(focusTask([task('done', 'done', 1)], true)).toBeNull();
});

test('a text goes to the task that it names, where the beat spoke of it', () => {
  expect(namedTask('Task ID: review\nLooks fine.', tasks, null)?._id).toBe('review');
  expect(namedTask('Task ID: other\nLooks fine.', tasks, tasks[2] ?? null)?._id).toBe('stale');
  expect(namedTask('Looks fine.', tasks, null)).toBeNull();
});
