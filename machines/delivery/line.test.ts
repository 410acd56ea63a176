import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobId, jobTime, laneKey, type Job } from '../lane/job.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import { rowWithout, sampleAgent, sampleRow } from '../../test/kits/samples/mission-control.ts';
import {
  countQueued,
  EMPTY_LINE,
  emptyQueue,
  enqueue,
  enqueuePage,
  idleLanes,
  knownIds,
  laneOf,
  start,
  nextInLine,
  release,
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
const ids = (line: Line, task: string) => laneOf(line, key(task))?.jobs.map(jobId);

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

function expectSound({ lanes, queue, counts, freed }: Line): void {
  const keys = lanes.map((lane) => lane.key);
  expect(keys).toEqual([...new Set(keys)].sort());
  const actorIds = [...lanes.map(({ actorId }) => actorId), ...freed].map(Number);
  expect(actorIds.sort((a, b) => a - b)).toEqual(actorIds.map((_, n) => n));
  const waiting = lanes.filter(({ phase }) => phase === 'inLine');
  expect(new Set(queue)).toEqual(new Set(waiting));
  expect(queue).toHaveLength(waiting.length);
  const times = queue.map(({ jobs: [head], seat }) =>
    Math.min(head ? jobTime(head) : Infinity, seat ?? Infinity),
  );
  expect(times).toEqual([...times].sort((a, b) => a - b));
  for (const phase of ['inLine', 'working', 'resting', 'idle'] as const) {
    expect(counts[phase]).toBe(lanes.filter((lane) => lane.phase === phase).length);
  }
}

describe('the line', () => {
  it('takes in every row once, and keeps each lane oldest first', () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const line = enqueuePage(enqueuePage(EMPTY_LINE, first, new Set()), second, new Set());
        const known = [...knownIds(line)];
        expect(new Set(known)).toEqual(new Set([...first, ...second].map(({ _id }) => _id)));
        expect(known).toHaveLength(new Set(known).size);
        for (const { key: laneId, jobs } of line.lanes) {
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
        let line = enqueuePage(EMPTY_LINE, page, new Set());
        const given: Job[] = [];
        for (let next = nextInLine(line); next !== null; next = nextInLine(line)) {
          const heads = line.lanes.flatMap(({ jobs }) => jobs.slice(0, 1));
          expect(jobTime(next.job)).toBe(Math.min(...heads.map(jobTime)));
          line = settle(setPhase(line, next.key, 'working'), next.key);
          given.push(next.job);
        }
        expect(idleLanes(line)).toEqual(line.lanes);
        expect(new Set(given.map(jobId))).toEqual(new Set(page.map(({ _id }) => _id)));
        expect(given).toHaveLength(new Set(given.map(jobId)).size);
      }),
    );
  });

  it('leaves the head where it is while its lane has it in hand, whatever comes in', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom<'working' | 'resting'>('working', 'resting'), (page, phase) => {
        const line = setPhase(enqueue(EMPTY_LINE, job('head', 'a', 5_000)), key('a'), phase);
        expect(ids(enqueuePage(line, page, new Set()), 'a')?.[0]).toBe('head');
      }),
    );
  });

  it('lets an older row go before the head while nobody has it', () => {
    const line = enqueue(enqueue(EMPTY_LINE, job('newer', 'a', 2)), job('older', 'a', 1));
    expect(ids(line, 'a')).toEqual(['older', 'newer']);
  });

  it('leaves out what it is told to leave out', () => {
    const line = enqueuePage(EMPTY_LINE, [row('x', 'a', 1), row('y', 'a', 2)], new Set(['x']));
    expect([...knownIds(line)]).toEqual(['y']);
  });

  it('stays the very same when nothing is new', () => {
    const line = enqueue(EMPTY_LINE, job('x', 'a', 1));
    expect(enqueuePage(line, [row('x', 'a', 1)], new Set())).toBe(line);
    expect(start(line, 'lane:none')).toBe(line);
    expect(setPhase(line, 'lane:none', 'working')).toBe(line);
    expect(settle(line, 'lane:none')).toBe(line);
  });

  it('says what is behind the next one in its session', () => {
    const line = enqueue(enqueue(EMPTY_LINE, job('x', 'a', 1)), job('y', 'b', 2));
    expect(nextInLine(enqueue(line, job('z', 'a', 3)))?.next).toBe('z');
    expect(nextInLine(line)?.next).toBeNull();
  });

  it('passes over lanes that work or rest', () => {
    const line = enqueue(enqueue(EMPTY_LINE, job('x', 'a', 1)), job('y', 'b', 2));
    expect(nextInLine(setPhase(line, key('a'), 'working'))?.key).toBe(key('b'));
    expect(nextInLine(setPhase(line, key('a'), 'resting'))?.key).toBe(key('b'));
    expect(nextInLine(EMPTY_LINE)).toBeNull();
  });

  it('puts a settled lane back in line with its next job, and has nothing for it to do after its last', () => {
    const line = setPhase(
      enqueue(enqueue(EMPTY_LINE, job('x', 'a', 1)), job('y', 'a', 2)),
      key('a'),
      'working',
    );
    const once = settle(line, key('a'));
    expect(laneOf(once, key('a'))).toMatchObject({ phase: 'inLine' });
    expect(ids(once, 'a')).toEqual(['y']);
    const twice = settle(once, key('a'));
    expect(laneOf(twice, key('a'))).toMatchObject({ phase: 'idle', jobs: [] });
    expect(nextInLine(twice)).toBeNull();
    expect(nextInLine(enqueue(twice, job('z', 'a', 3)))?.key).toBe(key('a'));
    expect(without(twice, key('a'))).toEqual(EMPTY_LINE);
  });

  it('lets nobody wait any more, and keeps what is up and what is at work', () => {
    const up = setPhase(start(enqueue(EMPTY_LINE, job('x', 'a', 1)), key('a')), key('a'), 'inLine');
    const line = setPhase(enqueue(enqueue(up, job('y', 'b', 2)), job('z', 'c', 3)), key('c'), 'working');
    const after = emptyQueue(line);
    expect(after.lanes.map((lane) => [lane.key, lane.phase])).toEqual([
      [key('a'), 'idle'],
      [key('c'), 'working'],
    ]);
    expect(nextInLine(after)).toBeNull();
  });

  it('keeps its queue and its counts in step with its lanes, whatever is done to it', () => {
    const tasks = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.tuple(fc.constant('enqueue' as const), tasks, fc.nat(50)),
      fc.tuple(
        fc.constantFrom(...(['working', 'resting', 'settle', 'release', 'without', 'inLine'] as const)),
        tasks,
        fc.nat(50),
      ),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let line = EMPTY_LINE;
        for (const [n, [what, task, at]] of steps.entries()) {
          const lane = laneOf(line, key(task));
          if (what === 'enqueue') line = enqueue(line, job(`${task}${n}`, task, at));
          else if (what === 'settle') line = settle(line, key(task));
          else if (what === 'release') line = release(line, key(task));
          else if (what === 'without') line = without(line, key(task));
          else if (lane !== undefined && lane.jobs.length > 0) line = setPhase(line, key(task), what);
          expectSound(line);
        }
      }),
    );
  });

  it('counts what works and what waits', () => {
    let line = enqueue(enqueue(enqueue(EMPTY_LINE, job('x', 'a', 1)), job('y', 'a', 2)), job('z', 'b', 3));
    line = setPhase(setPhase(line, key('a'), 'working'), key('b'), 'resting');
    expect([line.counts.working, line.counts.resting, countQueued(line)]).toEqual([1, 1, 2]);
  });

  it('lets a beat wait its turn among the rows of its session, once', () => {
    const beat: Job = { kind: 'beat', agent: sampleAgent(), dueAt: 5 };
    const withoutTask = rowWithout('taskId', { _id: 's', createdAt: 6 });
    const line = enqueue(enqueue(EMPTY_LINE, { kind: 'notification', row: withoutTask }), beat);
    expect(ids(enqueue(line, { ...beat, dueAt: 9 }), 'system')).toEqual(['beat:agent-e', 's']);
  });
});
