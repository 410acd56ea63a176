import { expect, test } from 'vitest';
import type { TaskRow, TaskStatus } from '../shared/mission-control.ts';
import { staleFollowUps } from './follow-ups.ts';

const MINUTE = 60_000;
const NOW = 1_000_000 * MINUTE;

const task = (id: string, status: TaskStatus, minutes: number, assignedAgentIds = ['a1']): TaskRow => ({
  _id: id,
  title: id,
  status,
  priority: 3,
  labels: [],
  assignedAgentIds,
  assignedUserIds: [],
  updatedAt: NOW - minutes * MINUTE,
});

const beat = {
  now: NOW,
  askerId: 'lead',
  known: [
    { _id: 'a1', slug: 'engineer' },
    { _id: 'a2', slug: 'qa' },
    { _id: 'lead', slug: 'squad-lead' },
  ],
};
const idsOf = (tasks: TaskRow[]) => staleFollowUps(tasks, beat).map(({ taskId }) => taskId);

test('work is asked about after 15 minutes, what is blocked after 24 hours', () => {
  expect(idsOf([task('young', 'in_progress', 14), task('stale', 'in_progress', 15)])).toEqual(['stale']);
  expect(idsOf([task('assigned', 'assigned', 15)])).toEqual(['assigned']);
  expect(idsOf([task('blocked', 'blocked', 24 * 60 - 1), task('long', 'blocked', 24 * 60)])).toEqual([
    'long',
  ]);
  expect(idsOf([task('review', 'review', 9_000), task('done', 'done', 9_000)])).toEqual([]);
});

test('a message counts as an update', () => {
  expect(idsOf([{ ...task('talked', 'in_progress', 60), lastMessageAt: NOW - MINUTE }])).toEqual([]);
});

test('the oldest three, each with its assignees but never the asker', () => {
  const tasks = [20, 50, 30, 40].map((minutes) => task(`t${minutes}`, 'in_progress', minutes));
  expect(idsOf(tasks)).toEqual(['t50', 't40', 't30']);
  const [shared] = staleFollowUps([task('shared', 'assigned', 20, ['a1', 'a2', 'lead', 'gone'])], beat);
  expect(shared?.recipientSlugs).toEqual(['engineer', 'qa']);
  expect(shared?.message).toContain('20 minutes');
});

test('a task that nobody else works on takes no place', () => {
  const alone = ['one', 'two', 'three'].map((id) => task(id, 'in_progress', 90, ['lead']));
  expect(idsOf([...alone, task('other', 'in_progress', 20)])).toEqual(['other']);
});
