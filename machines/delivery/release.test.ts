import { expect, it } from 'vitest';
import { jobId, type Job } from '../lane/job.ts';
import { rowWithout, sampleAgent, sampleRow } from '../shared/samples.test-kit.ts';
import {
  changeSeat,
  enqueue,
  keepSeats,
  knownIds,
  nextInLine,
  release,
  setPhase,
  type Line,
} from './line.ts';

const job = (id: string, taskId: string, createdAt: number): Job => ({
  kind: 'notification',
  row: sampleRow({ _id: id, taskId, createdAt }),
});
const key = (task: string) => `lane:agent-e/${task}`;

it('gives the rows behind a released one back with it, so that none of them goes first', () => {
  const jobs = [job('head', 'a', 1), job('next', 'a', 2), job('other', 'b', 3)];
  const line = setPhase(jobs.reduce<Line>(enqueue, {}), key('a'), 'working');
  expect([...knownIds(release(line, key('a')))]).toEqual(['other']);
  expect(release(line, 'lane:none')).toBe(line);
});

it('keeps the beats of the session: no list brings them back', () => {
  const rows: Job[] = ['head', 'next'].map((id, at) => ({
    kind: 'notification',
    row: rowWithout('taskId', { _id: id, createdAt: at }),
  }));
  const beat: Job = { kind: 'beat', agent: sampleAgent(), dueAt: 5 };
  const line = setPhase([...rows, beat].reduce<Line>(enqueue, {}), key('system'), 'working');
  const after = release(line, key('system'))[key('system')];
  expect(after?.phase).toBe('inLine');
  expect(after?.jobs.map(jobId)).toEqual(['beat:agent-e']);
});

it('lets a lane keep its seat while its row moves back in the queue, and no longer', () => {
  const listed = setPhase(enqueue({}, job('talk', 'a', 1)), key('a'), 'working');
  const seats = changeSeat({}, listed, key('a'), true);
  const moved = [job('talk', 'a', 9), job('other', 'b', 5)].reduce<Line>(enqueue, {});
  expect(nextInLine(moved, seats)?.key).toBe(key('a'));
  expect(nextInLine(moved)?.key).toBe(key('b'));

  const again = setPhase(moved, key('a'), 'working');
  expect(changeSeat(seats, again, key('a'), true)).toEqual({ [key('a')]: 1 });
  expect(changeSeat(seats, again, key('a'), false)).toEqual({});
  expect(keepSeats(seats, moved)).toEqual(seats);
  expect(keepSeats(seats, {})).toEqual({});
});
