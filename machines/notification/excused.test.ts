/** An attempt is given back when failures alike, or a gateway that is away, turn out to be the reason. */
import { expect, test } from 'vitest';
import { initialTransition, transition, type EventObject } from 'xstate';
import { callDone, callFailed, callsOf, timersOf } from '../../test/kits/explore.ts';
import { freshGhost, inputOf, type Snapshot } from '../../test/kits/notification-world.ts';
import { sampleContext } from '../../test/kits/samples/mission-control.ts';
import { Fault, type FaultKind } from '../shared/fault.ts';
import type { NotificationEvent } from './context.ts';
import { NOTHING_KNOWN } from './entry.ts';
import { MAX_ATTEMPTS } from './failures.ts';
import { notificationMachine } from './machine.ts';

/** The client of the gateway gives a probe this long (src/gateway/client.ts). */
const PROBE_LIMIT_MS = 5_000;
const INPUT = inputOf(freshGhost('mention'));
const READ = { delivery: sampleContext({ notification: INPUT.row }), completes: false, typing: true };
const EXCUSED = { type: 'gateway.excused', ailing: false } as const;
const GRANTED = { type: 'slot.granted', trial: false } as const;

const send = (snapshot: Snapshot, event: EventObject): Snapshot =>
  transition(notificationMachine, snapshot, event as NotificationEvent)[0];

/** The call that is under way ends. */
const end = (snapshot: Snapshot, outcome: (id: string) => EventObject): Snapshot =>
  send(snapshot, outcome(callsOf(snapshot)[0]?.id ?? ''));
const read = (snapshot: Snapshot): Snapshot => end(snapshot, (id) => callDone(id, READ));

/** A run has failed and was counted, and the notification is read again. */
function failedOnce(kind: FaultKind, input = INPUT): Snapshot {
  let [snapshot] = initialTransition(notificationMachine, input);
  snapshot = send(read(snapshot), GRANTED);
  snapshot = end(snapshot, (id) => callFailed(id, new Fault(kind, 'It failed.')));
  const timer = timersOf(snapshot).find(({ type }) => type.includes('runBackoff'));
  return send(snapshot, timer as EventObject);
}

const attemptsOf = (snapshot: Snapshot): number => snapshot.context.entry.attempts;

/** What it does after its rest, until the next run begins. */
const AFTER_THE_REST: [name: string, go: (snapshot: Snapshot) => Snapshot, state: string, then?: string][] = [
  ['reading', (snapshot) => snapshot, '"reading"'],
  ['waiting for a slot', read, '"fresh"', '"stale"'],
  [
    'waiting for long',
    (snapshot) => send(read(snapshot), timersOf(read(snapshot))[0] as EventObject),
    '"stale"',
  ],
  [
    'reading again with its slot',
    (snapshot) => send(send(read(snapshot), timersOf(read(snapshot))[0] as EventObject), GRANTED),
    '"refreshing"',
  ],
];

test.each(AFTER_THE_REST)('once, while it is %s', (_, go, state, then = state) => {
  let snapshot = go(failedOnce('runFailed'));
  expect(JSON.stringify(snapshot.value)).toContain(state);
  expect(attemptsOf(snapshot)).toBe(1);
  snapshot = send(snapshot, EXCUSED);
  expect(attemptsOf(snapshot)).toBe(0);
  expect(JSON.stringify(snapshot.value)).toContain(then);
  expect(attemptsOf(send(snapshot, EXCUSED))).toBe(0);
});

test('not after the next run has begun: then that run is excused when it fails', () => {
  let snapshot = send(read(failedOnce('runFailed')), GRANTED);
  snapshot = send(snapshot, EXCUSED);
  expect(attemptsOf(snapshot)).toBe(2);
  snapshot = end(snapshot, (id) => callFailed(id, new Fault('runFailed', 'It failed.')));
  expect(attemptsOf(snapshot)).toBe(1);
});

test('a row that the gateway went down with twice asks again for a slot, to go alone', () => {
  const entry = { ...NOTHING_KNOWN, cuts: 1 };
  const waiting = read(failedOnce('runCut', { ...INPUT, entry }));
  const [snapshot, actions] = transition(notificationMachine, waiting, EXCUSED);
  expect(snapshot.context.entry).toMatchObject({ attempts: 0, runs: 1, cuts: 2 });
  expect(actions.map(({ params }) => (params as { event?: unknown } | undefined)?.event)).toContainEqual(
    expect.objectContaining({ type: 'slot.wanted', alone: true }),
  );
});

test('a gateway that answers all the while was taken down by no run', () => {
  const ailing = { ...EXCUSED, ailing: true };
  const late = send(read(failedOnce('runCut')), ailing);
  expect(late.context.entry).toMatchObject({ attempts: 0, runs: 1, cuts: 0 });
  let open = send(send(read(failedOnce('runFailed')), GRANTED), ailing);
  open = end(open, (id) => callFailed(id, new Fault('runCut', 'It failed.')));
  expect(open.context.entry.cuts).toBe(0);
});

test('the last attempt is given up for a cut only when the probe must have told whose failure it was', () => {
  const entry = { ...NOTHING_KNOWN, attempts: MAX_ATTEMPTS - 2 };
  const restOf = (kind: FaultKind, attempts: number): number =>
    failedOnce(kind, { ...INPUT, entry: { ...entry, attempts } }).context.rest.inMs;
  expect(restOf('runCut', MAX_ATTEMPTS - 2)).toBeLessThan(PROBE_LIMIT_MS);
  expect(restOf('runCut', MAX_ATTEMPTS - 1)).toBeGreaterThan(PROBE_LIMIT_MS);
});
