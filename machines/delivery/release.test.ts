import { expect, it } from 'vitest';
import { jobId, type Job } from '../lane/job.ts';
import { rowWithout, sampleAgent, sampleRow } from '../../test/kits/samples/mission-control.ts';
import {
  EMPTY_LINE,
  enqueue,
  giveUpSeats,
  knownIds,
  laneOf,
  nextInLine,
  release,
  setPhase,
  settle,
  type Line,
} from './line.ts';

const job = (id: string, taskId: string, createdAt: number): Job => ({
  kind: 'notification',
  row: sampleRow({ _id: id, taskId, createdAt }),
});
const key = (task: string) => `lane:agent-e/${task}`;

it('gives the rows behind a released one back with it, so that none of them goes first', () => {
  const jobs = [job('head', 'a', 1), job('next', 'a', 2), job('other', 'b', 3)];
  const line = setPhase(jobs.reduce<Line>(enqueue, EMPTY_LINE), key('a'), 'working');
  expect([...knownIds(release(line, key('a')))]).toEqual(['other']);
  expect(release(line, 'lane:none')).toBe(line);
});

it('keeps the beats of the session: no list brings them back', () => {
  const rows: Job[] = ['head', 'next'].map((id, at) => ({
    kind: 'notification',
    row: rowWithout('taskId', { _id: id, createdAt: at }),
  }));
  const beat: Job = { kind: 'beat', agent: sampleAgent(), dueAt: 5 };
  const line = setPhase([...rows, beat].reduce<Line>(enqueue, EMPTY_LINE), key('system'), 'working');
  const after = laneOf(release(line, key('system')), key('system'));
  expect(after?.phase).toBe('inLine');
  expect(after?.jobs.map(jobId)).toEqual(['beat:agent-e']);
});

it('lets a lane keep its seat while its row moves back in the queue, and no longer', () => {
  const listed = setPhase(enqueue(EMPTY_LINE, job('talk', 'a', 1)), key('a'), 'working');
  const left = release(listed, key('a'));
  const page = [job('talk', 'a', 9), job('other', 'b', 5)];
  const back = page.reduce<Line>(enqueue, left);
  expect(nextInLine(back)?.key).toBe(key('a'));
  expect(nextInLine(page.reduce<Line>(enqueue, giveUpSeats(left)))?.key).toBe(key('b'));
  expect(giveUpSeats(back)).toBe(back);

  const again = setPhase(back, key('a'), 'working');
  expect(laneOf(release(again, key('a')), key('a'))?.seat).toBe(1);
  expect(laneOf(settle(again, key('a')), key('a'))?.seat).toBeNull();
});
