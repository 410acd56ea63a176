import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobId, jobTime, laneKey, type Job } from '../lane/job.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import { rowWithout, sampleAgent, sampleRow } from '../shared/samples.test-kit.ts';
import {
  countPhase,
  countQueued,
  enqueue,
  enqueuePage,
  knownIds,
  markAlive,
  newLanes,
  nextInLine,
  setPhase,
  settle,
  without,
  type Line,
} from './line.ts';

const row = (id: string, task: string, createdAt: number): NotificationRow =>
  sampleRow({ _id: id, taskId: task, createdAt });
const job = (id: string, task: string, createdAt: number): Job => ({
  kind: 'notification',
  row: row(id, task, createdAt),
});
const key = (task: string) => `lane:agent-e/${task}`;
const ids = (line: Line, task: string) => line[key(task)]?.jobs.map(jobId);

/** Each row has a time of its own, so that the order is one. */
const rows = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 0, max: 30 }),
      task: fc.constantFrom('a', 'b', 'c'),
      at: fc.nat(10_000),
    }),
    { selector: ({ at }) => at, maxLength: 30 },
  )
  .map((some) => some.map(({ id, task, at }) => row(`${task}${id}`, task, at)));

describe('the line', () => {
  it('takes in every row once, and keeps each lane oldest first', () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const line = enqueuePage(enqueuePage({}, first, new Set()), second, new Set());
        const known = [...knownIds(line)];
        expect(new Set(known)).toEqual(new Set([...first, ...second].map(({ _id }) => _id)));
        expect(known).toHaveLength(new Set(known).size);
        for (const [laneId, { jobs }] of Object.entries(line)) {
          const times = jobs.map(jobTime);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          expect(jobs.every((one) => laneKey(one) === laneId)).toBe(true);
        }
      }),
    );
  });

  it('gives all out again, each row once: every session in order, the oldest head first', () => {
    fc.assert(
      fc.property(rows, (page) => {
        let line = markAlive(enqueuePage({}, page, new Set()));
        const given: Job[] = [];
        for (let next = nextInLine(line); next !== null; next = nextInLine(line)) {
          const heads = Object.values(line).flatMap(({ jobs }) => jobs.slice(0, 1));
          expect(jobTime(next.job)).toBe(Math.min(...heads.map(jobTime)));
          line = settle(setPhase(line, next.key, 'working'), next.key);
          given.push(next.job);
        }
        expect(line).toEqual({});
        expect(new Set(given.map(jobId))).toEqual(new Set(page.map(({ _id }) => _id)));
        expect(given).toHaveLength(new Set(given.map(jobId)).size);
      }),
    );
  });

  it('leaves the head where it is while its lane has it in hand, whatever comes in', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom<'working' | 'resting'>('working', 'resting'), (page, phase) => {
        const line = setPhase(enqueue({}, job('head', 'a', 5_000)), key('a'), phase);
        expect(ids(enqueuePage(line, page, new Set()), 'a')?.[0]).toBe('head');
      }),
    );
  });

  it('lets an older row go before the head while nobody has it', () => {
    const line = enqueue(enqueue({}, job('newer', 'a', 2)), job('older', 'a', 1));
    expect(ids(line, 'a')).toEqual(['older', 'newer']);
  });

  it('leaves out what it is told to leave out', () => {
    const line = enqueuePage({}, [row('x', 'a', 1), row('y', 'a', 2)], new Set(['x']));
    expect([...knownIds(line)]).toEqual(['y']);
  });

  it('stays the very same when nothing is new', () => {
    const line = enqueue({}, job('x', 'a', 1));
    expect(enqueuePage(line, [row('x', 'a', 1)], new Set())).toBe(line);
    expect(markAlive(markAlive(line))).toEqual(markAlive(line));
    expect(setPhase(line, 'lane:none', 'working')).toBe(line);
    expect(settle(line, 'lane:none')).toBe(line);
  });

  it('passes over lanes that work or rest', () => {
    const line = enqueue(enqueue({}, job('x', 'a', 1)), job('y', 'b', 2));
    expect(nextInLine(setPhase(line, key('a'), 'working'))?.key).toBe(key('b'));
    expect(nextInLine(setPhase(line, key('a'), 'resting'))?.key).toBe(key('b'));
    expect(nextInLine({})).toBeNull();
  });

  it('puts a settled lane back in line with its next job, and drops it with its last', () => {
    const line = setPhase(enqueue(enqueue({}, job('x', 'a', 1)), job('y', 'a', 2)), key('a'), 'working');
    const once = settle(line, key('a'));
    expect(once[key('a')]).toMatchObject({ phase: 'inLine' });
    expect(ids(once, 'a')).toEqual(['y']);
    expect(settle(once, key('a'))).toEqual({});
    expect(without(line, key('a'))).toEqual({});
  });

  it('knows which lanes have still to be spawned', () => {
    const line = enqueue(markAlive(enqueue({}, job('x', 'a', 1))), job('y', 'b', 2));
    expect(newLanes(line)).toEqual([key('b')]);
    expect(newLanes(markAlive(line))).toEqual([]);
  });

  it('counts what works and what waits', () => {
    let line = enqueue(enqueue(enqueue({}, job('x', 'a', 1)), job('y', 'a', 2)), job('z', 'b', 3));
    line = setPhase(setPhase(line, key('a'), 'working'), key('b'), 'resting');
    expect([countPhase(line, 'working'), countPhase(line, 'resting'), countQueued(line)]).toEqual([1, 1, 2]);
  });

  it('lets a beat wait its turn among the rows of its session, once', () => {
    const beat: Job = { kind: 'beat', agent: sampleAgent(), dueAt: 5 };
    const withoutTask = rowWithout('taskId', { _id: 's', createdAt: 6 });
    const line = enqueue(enqueue({}, { kind: 'notification', row: withoutTask }), beat);
    expect(ids(enqueue(line, { ...beat, dueAt: 9 }), 'system')).toEqual(['beat:agent-e', 's']);
  });
});
