import { describe, expect, it } from 'vitest';
import { rowWithout, sampleAgent, sampleRow } from '../../test/kits/samples/mission-control.ts';
import { hasMoved, versionOf } from './context.ts';
import { jobId, jobTime, laneKey, type Job } from './job.ts';

const withoutTask = rowWithout('taskId');
const beat: Job = { kind: 'beat', agent: sampleAgent(), dueAt: 7 };

describe('a job', () => {
  it.each<[string, Job, { id: string; key: string; time: number }]>([
    [
      'of a task',
      { kind: 'notification', row: sampleRow() },
      { id: 'n1', key: 'lane:agent-e/task-1', time: 1_000 },
    ],
    [
      'without a task',
      { kind: 'notification', row: withoutTask },
      { id: 'n1', key: 'lane:agent-e/system', time: 1_000 },
    ],
    ['that is a beat', beat, { id: 'beat:agent-e', key: 'lane:agent-e/system', time: 7 }],
  ])('%s', (_name, job, { id, key, time }) => {
    expect([jobId(job), laneKey(job), jobTime(job)]).toEqual([id, key, time]);
  });
});

describe('the version of a row', () => {
  const version = versionOf(sampleRow());
  const withoutMessage = rowWithout('messageId');

  it.each([
    ['the same', sampleRow(), false],
    ['read and retitled', sampleRow({ title: 'other' }), false],
    ['another message', sampleRow({ messageId: 'm2' }), true],
    ['another time', sampleRow({ createdAt: 1_001 }), true],
    ['no message any more', withoutMessage, true],
  ])('%s', (_name, row, moved) => {
    expect(hasMoved(row, version)).toBe(moved);
  });

  it('without a message does not move by itself', () => {
    expect(hasMoved(withoutMessage, versionOf(withoutMessage))).toBe(false);
  });
});
