import { expect, test } from 'vitest';
import type { TaskRow, TaskStatus } from '../shared/mission-control.ts';
import { focusTask, namedTask, rememberFocus, shownTasks } from './focus.ts';

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

const stuck = Array.from({ length: 19 }, (_, n) => task(`stuck${n}`, 'in_progress', 100 - n));

test('each of nineteen tasks that stand still is in focus within nineteen beats, though no beat touches one', () => {
  let seen: readonly string[] = [];
  const focused = new Set<string | undefined>();
  for (let beat = 0; beat < 19; beat++) {
    const focus = focusTask(stuck, true, seen);
    focused.add(focus?._id);
    seen = rememberFocus(seen, focus?._id ?? null);
  }
  expect(focused).toEqual(new Set(stuck.map(({ _id }) => _id)));
});

test('the stalest comes first, and first again after all others', () => {
  let seen: readonly string[] = [];
  const order = Array.from({ length: 20 }, () => {
    const focus = focusTask(stuck, true, seen);
    seen = rememberFocus(seen, focus?._id ?? null);
    return focus?._id;
  });
  expect(order[0]).toBe('stuck18');
  expect(order[19]).toBe('stuck18');
});

test('the orchestrator is shown the twenty stalest and told of the rest', () => {
  const many = Array.from({ length: 27 }, (_, n) => task(`t${n}`, 'review', n));
  const { shown, leftOut } = shownTasks([...many].reverse(), true);
  expect(shown.map(({ _id }) => _id)).toEqual(many.slice(0, 20).map(({ _id }) => _id));
  expect(leftOut).toBe(7);
  expect(shownTasks(many, false)).toEqual({ shown: many, leftOut: 0 });
});
