import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowWithout, sampleAgent, sampleRow } from '../../test/kits/samples/mission-control.ts';
import {
  countQueued,
  EMPTY_QUEUE,
  emptyQueue,
  enqueue,
  enqueuePage,
  forgetContexts,
  removeEmpty,
  handBack,
  itemId,
  itemTime,
  knownIds,
  nextToStart,
  sessionKey,
  sessionOf,
  setPhase,
  settle,
  start,
  type Item,
  type Phase,
  type Queue,
} from './queue.ts';
import { nextToTry } from './one-at-a-time.ts';
import { sampleContext } from '../../test/kits/samples/mission-control.ts';

const item = (id: string, task: string, createdAt: number, agent = 'agent-e'): Item => ({
  kind: 'notification',
  row: sampleRow({ _id: id, taskId: task, createdAt, recipientId: agent }),
  entry: null,
  given: null,
});
const beat: Item = { kind: 'beat', seen: [], agent: sampleAgent(), dueAt: 5 };
const key = (task: string, agent = 'agent-e'): string => `${agent}/${task}`;
const ids = (queue: Queue, task: string) => sessionOf(queue, key(task))?.items.map(itemId);
const queueOf = (...items: Item[]): Queue => items.reduce(enqueue, EMPTY_QUEUE);
const MANY = 100;

/** Each row has a time of its own, so that there is one order. */
const pages = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 0, max: 30 }),
      task: fc.constantFrom('a', 'b', 'c'),
      at: fc.nat(10_000),
    }),
    { selector: ({ at }) => at, maxLength: 30 },
  )
  .map((some) => some.map(({ id, task, at }) => item(`${task}${id}`, task, at)));

const PHASES: Phase[] = ['waiting', 'preparing', 'ready', 'running', 'resting', 'answering', 'empty'];

function expectSound({ sessions, waiting, ready, counts, freed, ids: used }: Queue): void {
  const keys = sessions.map((session) => session.key);
  expect(keys).toEqual([...new Set(keys)].sort());
  const actorIds = [...sessions.flatMap(({ actorId }) => actorId ?? []), ...freed].map(Number);
  expect(actorIds.sort((a, b) => a - b)).toEqual(Array.from({ length: used }, (_, n) => n));
  for (const [phase, sorted] of [['waiting', waiting] as const, ['ready', ready] as const]) {
    expect(new Set(sorted)).toEqual(new Set(sessions.filter((session) => session.phase === phase)));
    const times = sorted.map(({ items: [head], waitingSince }) =>
      Math.min(head ? itemTime(head) : Infinity, waitingSince ?? Infinity),
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
  for (const phase of PHASES) {
    expect(counts[phase]).toBe(sessions.filter((session) => session.phase === phase).length);
  }
}

describe('the queue', () => {
  it('takes in every row once, and keeps each session oldest first', () => {
    fc.assert(
      fc.property(pages, pages, (first, second) => {
        const queue = enqueuePage(enqueuePage(EMPTY_QUEUE, first, new Set()), second, new Set());
        const known = [...knownIds(queue)];
        expect(new Set(known)).toEqual(new Set([...first, ...second].map(itemId)));
        expect(known).toHaveLength(new Set(known).size);
        for (const session of queue.sessions) {
          const times = session.items.map(itemTime);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          expect(session.items.every((one) => sessionKey(one) === session.key)).toBe(true);
        }
      }),
    );
  });

  it('gives all out again, each row once: every session in order, the oldest head first', () => {
    fc.assert(
      fc.property(pages, (page) => {
        let queue = enqueuePage(EMPTY_QUEUE, page, new Set());
        const given: Item[] = [];
        for (let next = nextToStart(queue, MANY); next !== null; next = nextToStart(queue, MANY)) {
          const heads = queue.sessions.flatMap(({ items }) => items.slice(0, 1));
          const [head] = next.items;
          expect(head && itemTime(head)).toBe(Math.min(...heads.map(itemTime)));
          if (head !== undefined) given.push(head);
          queue = settle(start(queue, next.key), next.key);
        }
        expect(queue.sessions).toEqual([]);
        expect(new Set(given.map(itemId))).toEqual(new Set(page.map(itemId)));
        expect(given).toHaveLength(new Set(given.map(itemId)).size);
      }),
    );
  });

  it('stays sound whatever happens in whatever order', () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom(
          'start',
          'settle',
          'handBack',
          'page',
          'places',
          'empty',
          ...PHASES.slice(1, 6),
        ),
        task: fc.constantFrom('a', 'b', 'c'),
        page: pages,
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (taken) => {
        let queue = EMPTY_QUEUE;
        for (const { what, task, page } of taken) {
          const session = sessionOf(queue, key(task));
          if (what === 'page') queue = enqueuePage(queue, page, new Set());
          else if (what === 'places') queue = removeEmpty(queue);
          else if (what === 'empty') queue = emptyQueue(queue);
          else if (what === 'start') queue = session?.phase === 'waiting' ? start(queue, key(task)) : queue;
          else if (what === 'settle') queue = session?.actorId == null ? queue : settle(queue, key(task));
          else if (what === 'handBack') queue = session?.actorId == null ? queue : handBack(queue, key(task));
          else queue = setPhase(queue, key(task), what);
          expectSound(queue);
        }
      }),
    );
  });

  it('leaves the head where it is while an actor is alive for it, whatever comes in', () => {
    fc.assert(
      fc.property(pages, fc.constantFrom<Phase>('running', 'resting', 'ready'), (page, phase) => {
        const queue = setPhase(start(queueOf(item('head', 'a', 5_000)), key('a')), key('a'), phase);
        expect(ids(enqueuePage(queue, page, new Set()), 'a')?.[0]).toBe('head');
      }),
    );
  });

  it('lets an older row go before the head while nobody works on it', () => {
    expect(ids(queueOf(item('newer', 'a', 2), item('older', 'a', 1)), 'a')).toEqual(['older', 'newer']);
  });

  it('leaves out what it is told to leave out', () => {
    const page = [item('x', 'a', 1), item('y', 'a', 2)];
    expect([...knownIds(enqueuePage(EMPTY_QUEUE, page, new Set(['x'])))]).toEqual(['y']);
  });

  it('stays the very same when nothing is new', () => {
    const queue = queueOf(item('x', 'a', 1));
    expect(enqueuePage(queue, [item('x', 'a', 1)], new Set())).toBe(queue);
    expect(start(queue, 'none')).toBe(queue);
    expect(setPhase(queue, key('a'), 'running')).toBe(queue);
    expect(settle(queue, 'none')).toBe(queue);
    expect(removeEmpty(queue)).toBe(queue);
  });

  it('counts what nobody works on', () => {
    const queue = queueOf(item('x', 'a', 1), item('y', 'a', 2), item('z', 'b', 3));
    expect(countQueued(queue)).toBe(3);
    expect(countQueued(setPhase(start(queue, key('a')), key('a'), 'running'))).toBe(2);
  });
});

describe('a row that goes back', () => {
  it('takes the rows behind it along, so that none of them goes first', () => {
    const queue = start(queueOf(item('head', 'a', 1), item('next', 'a', 2), item('other', 'b', 3)), key('a'));
    expect([...knownIds(handBack(queue, key('a')))]).toEqual(['other']);
  });

  it('leaves the beats of the session: no list brings them back', () => {
    const rows = ['head', 'next'].map((id, at): Item => ({
      kind: 'notification',
      row: rowWithout('taskId', { _id: id, createdAt: at }),
      entry: null,
      given: null,
    }));
    const queue = start(queueOf(...rows, beat), key('system'));
    expect(ids(handBack(queue, key('system')), 'system')).toEqual(['beat:agent-e']);
  });

  it('keeps the place of its session until the next list, and no longer', () => {
    const left = handBack(start(queueOf(item('talk', 'a', 1)), key('a')), key('a'));
    const page = [item('talk', 'a', 9), item('other', 'b', 5)];
    const back = page.reduce(enqueue, left);
    expect(nextToStart(back, MANY)?.key).toBe(key('a'));
    expect(nextToStart(page.reduce(enqueue, removeEmpty(left)), MANY)?.key).toBe(key('b'));
    const again = start(back, key('a'));
    expect(sessionOf(handBack(again, key('a')), key('a'))?.waitingSince).toBe(1);
  });
});

describe('who is next', () => {
  it('starts no more actors than the window has room for', () => {
    const queue = start(queueOf(item('x', 'a', 1), item('y', 'b', 2)), key('a'));
    expect(nextToStart(queue, 1)).toBeNull();
    expect(nextToStart(queue, 2)?.key).toBe(key('b'));
    expect(nextToStart(setPhase(queue, key('a'), 'running'), 1)?.key).toBe(key('b'));
  });

  it('lets an agent in that has no actor ahead, so that one agent cannot keep the others out', () => {
    const queue = start(queueOf(item('x', 'a', 1), item('y', 'b', 2), item('z', 'a', 3, 'qa')), key('a'));
    expect(nextToStart(queue, 1)?.key).toBe(key('a', 'qa'));
  });

  it('gives an agent in trouble no place but one, whatever it has ahead: others start as if it were not there', () => {
    const sick = [item('1', 'a', 1), item('2', 'b', 2), item('3', 'c', 3)];
    const well = [item('4', 'a', 4, 'qa'), item('5', 'b', 5, 'qa'), item('6', 'c', 6, 'qa')];
    const limits = new Map([['agent-e', 1]]);
    let queue = start(start(queueOf(...sick, ...well), key('a')), key('b'));
    for (const next of [key('a', 'qa'), key('b', 'qa')]) {
      expect(nextToStart(queue, 2, limits)?.key).toBe(next);
      queue = start(queue, next);
    }
    expect(nextToStart(queue, 2, limits)).toBeNull();
  });

  it('gives trials to agents in turn, then to their sessions', () => {
    const all = [item('1', 'a', 1), item('2', 'b', 2), item('3', 'a', 3, 'qa')];
    let queue = queueOf(...all);
    for (const { key: session } of queue.sessions) queue = setPhase(start(queue, session), session, 'ready');
    const order: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const next = nextToTry(queue, order)?.key ?? '';
      order.splice(0, order.length, ...order.filter((one) => one !== next), next);
    }
    const first = nextToTry(queue, [])?.key;
    expect(first).toBe(key('a'));
    expect(nextToTry(queue, [key('a')])?.key).toBe(key('a', 'qa'));
    expect(nextToTry(queue, [key('a'), key('a', 'qa')])?.key).toBe(key('b'));
    expect(new Set(order).size).toBe(3);
  });

  it('forgets contexts that came with the list and were not used', () => {
    const given: Item = {
      ...(item('x', 'a', 1) as Extract<Item, { kind: 'notification' }>),
      given: sampleContext(),
    };
    expect(forgetContexts(queueOf(given)).sessions[0]?.items).toEqual([item('x', 'a', 1)]);
  });
});
