/** Delivery and its children as running actors, under schedules of answers, failures, silences, gates and coalesced rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSessionActor } from '../shared/actor-name.ts';
import type { FaultKind } from '../shared/fault.ts';
import { settle } from '../../test/kits/samples/mission-control.ts';
import { addRow, LIMITS, moveRow, SETTINGS, startDelivery, type Schedule } from '../../test/kits/schedule.ts';

const FAULTS: Record<string, readonly FaultKind[]> = {
  runAgent: ['runFailed', 'runTimedOut', 'gatewayUnavailable', 'agentUnknown', 'bug'],
  postMessage: ['backendUnavailable', 'backendRejected', 'textTooLong'],
  postAgain: ['backendUnavailable', 'backendRejected'],
  completeDelivery: ['backendUnavailable', 'backendRejected', 'textTooLong'],
};
const SAFETY_POLL_MS = 300_000;
const BACKEND_FAULTS: readonly FaultKind[] = ['backendUnavailable', 'backendRejected'];

type Step =
  | { do: 'answer' | 'move'; which: number }
  | { do: 'fail'; which: number; how: number }
  | { do: 'wait'; ms: number }
  | { do: 'say'; text: string }
  | { do: 'come'; session: number; told: boolean }
  | { do: 'watch'; on: boolean }
  | { do: 'offer'; completes: boolean }
  | { do: 'gate'; to: 'available' | 'trial' | 'lost'; excused: boolean };

const which = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer'), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fail'), which, how: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move'), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('say'), text: fc.constantFrom('Done.', '', 'HEARTBEAT_OK') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('come'), session: fc.nat(2), told: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('watch'), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('offer'), completes: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('gate'),
      to: fc.constantFrom('available', 'trial', 'lost'),
      excused: fc.boolean(),
    }),
  },
);

/** Up to eight rows over three sessions. */
const queue = fc.array(fc.nat(2), { minLength: 1, maxLength: 8 });

/** Found by this test: it has rested since its run, so it may not run for the newer message at once. */
const MOVED_WHILE_THE_MARK_FAILS: Step[] = [
  ...Array.from({ length: 5 }, (): Step => ({ do: 'answer', which: 0 })),
  { do: 'fail', which: 0, how: 0 },
  { do: 'move', which: 0 },
];

function take({ actor, around, clock }: Schedule, one: Step): void {
  const { calls, rows } = around;
  const call = 'which' in one ? calls[one.which % Math.max(1, calls.length)] : undefined;
  switch (one.do) {
    case 'answer':
      call?.succeed();
      break;
    case 'fail': {
      const kinds = FAULTS[call?.name ?? ''] ?? BACKEND_FAULTS;
      call?.fail(kinds[one.how % kinds.length] ?? 'backendUnavailable');
      break;
    }
    case 'wait':
      clock.increment(one.ms);
      break;
    case 'move':
      moveRow(around, `n${one.which % rows.size}`);
      break;
    case 'come':
      addRow(around, one.session);
      // A signal may get lost although the subscription stands.
      if (one.told) actor.send({ type: 'queue.changed' });
      break;
    case 'watch':
      actor.send({ type: one.on ? 'queue.watched' : 'queue.unwatched' });
      break;
    case 'offer':
      around.completes = one.completes;
      break;
    case 'say':
      around.agentSays = one.text;
      break;
    case 'gate':
      actor.send(
        one.to === 'lost' ? { type: 'gateway.lost', excused: one.excused } : { type: `gateway.${one.to}` },
      );
  }
}

async function takeAll(schedule: Schedule, steps: readonly Step[]): Promise<void> {
  await settle();
  for (const one of steps) {
    take(schedule, one);
    await settle();
    noteSetAside(schedule);
    expectBounded(schedule);
  }
}

function noteSetAside({ actor, around }: Schedule): void {
  for (const id of actor.getSnapshot().context.setAside) around.outOfOrder.add(id);
}

function expectBounded({ actor }: Schedule): void {
  const { context, value } = actor.getSnapshot();
  const poll = typeof value === 'string' ? null : value.active.poll;
  if (poll !== 'waiting' && poll !== 'backingOff') return;
  expect(context.poll.inMs).toBeGreaterThan(0);
  const idle = context.watched ? SAFETY_POLL_MS : SETTINGS.intervalMs;
  expect(context.poll.inMs).toBeLessThanOrEqual(poll === 'waiting' ? idle : LIMITS.capMs);
}

/** From here on every call succeeds, and time goes on. */
async function allIsWell(schedule: Schedule, until: () => boolean): Promise<void> {
  const { actor, around, clock } = schedule;
  around.agentSays = 'Done.';
  actor.send({ type: 'gateway.available' });
  for (let rounds = 0; rounds < 300 && !until(); rounds += 1) {
    await settle();
    const [call] = around.calls;
    if (call === undefined) clock.increment(SETTINGS.intervalMs);
    else call.succeed();
    noteSetAside(schedule);
  }
  await settle();
}

/** XState stops the children of a machine that is done, and leaves them in its last snapshot. */
const childCount = ({ actor }: Schedule): number =>
  Object.values(actor.getSnapshot().children).filter(
    (child) => isSessionActor(child) && child?.getSnapshot().status === 'active',
  ).length;

describe('delivery under any schedule', () => {
  it('delivers every row once when the faults stop, in order, one run per session at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        queue,
        fc.array(step, { maxLength: 60 }),
        fc.boolean(),
        async (sessions, steps, completes) => {
          const schedule = startDelivery(sessions, completes);
          const { around, actor } = schedule;
          await takeAll(schedule, steps);
          await allIsWell(
            schedule,
            () =>
              around.marks.length >= around.rows.size &&
              around.overtaken.size === 0 &&
              childCount(schedule) === 0,
          );
          expect(around.wrongs).toEqual([]);
          expect([...around.overtaken]).toEqual([]);
          expect([...around.marks].sort()).toEqual([...around.rows.keys()].sort());
          expect(childCount(schedule)).toBe(0);
          const { sessions: left, freed, ids } = actor.getSnapshot().context.queue;
          expect(left).toEqual([]);
          expect(freed).toHaveLength(ids);
          actor.stop();
        },
      ),
      { numRuns: 300, examples: [[[0], MOVED_WHILE_THE_MARK_FAILS, false]] },
    );
  });

  it('looks again at once for a row that came back during a look: that may have read the journal too early', async () => {
    const { around, actor } = startDelivery([0]);
    const answer = async (name: string): Promise<void> => {
      around.calls.find((call) => call.name === name)?.succeed();
      await settle();
    };
    await settle();
    await answer('listUndelivered');
    actor.send({ type: 'queue.changed' });
    await settle();
    moveRow(around, 'n0');
    await answer('readContext');
    await answer('handBack');
    await answer('listUndelivered');
    expect(around.calls.map(({ name }) => name)).toContain('listUndelivered');
    actor.stop();
  });

  it('leaves when it is told to, from any moment: nothing is lost, nothing is begun', async () => {
    await fc.assert(
      fc.asyncProperty(
        queue,
        fc.array(step, { maxLength: 40 }),
        fc.boolean(),
        async (sessions, steps, isCutOff) => {
          const schedule = startDelivery(sessions);
          const { around, actor, clock } = schedule;
          await takeAll(schedule, steps);
          actor.send({ type: 'delivery.drain' });
          if (isCutOff && actor.getSnapshot().status === 'active') actor.send({ type: 'delivery.abort' });
          for (let rounds = 0; rounds < 60 && actor.getSnapshot().status === 'active'; rounds += 1) {
            await settle();
            if (around.calls.length === 0) clock.increment(LIMITS.capMs);
            around.calls[0]?.succeed();
          }
          await settle();
          expect(actor.getSnapshot().status).toBe('done');
          expect(around.wrongs).toEqual([]);
          expect(childCount(schedule)).toBe(0);
          expect(around.calls.map(({ name }) => name)).toEqual([]);
          const left = [...around.rows.values()].filter((row) => row.deliveredAt === undefined);
          expect([...around.marks, ...left.map((row) => row._id)].sort()).toEqual(
            [...around.rows.keys()].sort(),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
