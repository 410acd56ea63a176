/** What a version may cost: ten runs, whatever the reasons. */
import { expect, test } from 'vitest';
import { initialTransition, transition, type EventObject } from 'xstate';
import { callDone, callFailed, callsOf } from '../../test/kits/explore.ts';
import { freshGhost, inputOf, type Snapshot } from '../../test/kits/notification-world.ts';
import { sampleContext } from '../../test/kits/samples/mission-control.ts';
import { Fault } from '../shared/fault.ts';
import type { NotificationEvent } from './context.ts';
import { notificationMachine } from './machine.ts';
import { MAX_RUNS } from './failures.ts';

const CALL = { callId: 'c1', name: 'task_status', arguments: '{}' };
const INPUT = inputOf(freshGhost('mention'));
const READ = { delivery: sampleContext({ notification: INPUT.row }), completes: false, typing: true };

/** How the gateway answers a request. */
type Round = (id: string, isFirst: boolean) => EventObject;

function nextEvent(snapshot: Snapshot, round: Round): EventObject {
  const [call] = callsOf(snapshot);
  if (call?.src === 'readContext') return callDone(call.id, READ);
  if (call?.src === 'runAgent') {
    return round(call.id, snapshot.context.entry.rounds.count === 0);
  }
  if (call?.src === 'makeCall') return callDone(call.id, { output: '{}', outcome: 'ok' });
  if (snapshot.matches('queueing')) return { type: 'slot.granted', trial: true } as EventObject;
  return { type: 'xstate.after.runBackoff.notification.working.resting' };
}

/** @returns how many requests went to the gateway until it was given up */
function play(round: Round): number {
  let [snapshot] = initialTransition(notificationMachine, INPUT);
  let requests = 0;
  for (let step = 0; step < 500 && !snapshot.matches('answering'); step++) {
    const event = nextEvent(snapshot, round);
    if (callsOf(snapshot)[0]?.src === 'runAgent') requests += 1;
    [snapshot] = transition(notificationMachine, snapshot, event as NotificationEvent);
  }
  expect(snapshot.context.result.note).toBe('attemptsSpent');
  return requests;
}

const failed = (id: string, kind: 'runFailed' | 'gatewayUnavailable'): EventObject =>
  callFailed(id, new Fault(kind, `${kind}!`));

test("a version is given up after ten runs that all were the provider's failure", () => {
  expect(play((id) => failed(id, 'runFailed'))).toBe(MAX_RUNS);
});

test('what follows calls counts too when it has to be asked again', () => {
  const calls = { reply: { text: '', toolCalls: 1 }, calls: [CALL], runMs: 1 };
  // The first run has two rounds: its calls, and the one that fails.
  expect(play((id, isFirst) => (isFirst ? callDone(id, calls) : failed(id, 'runFailed')))).toBe(MAX_RUNS + 1);
});

test('a gateway that takes nothing costs nothing', () => {
  let refusals = 30;
  const kind = () => (refusals-- > 0 ? 'gatewayUnavailable' : 'runFailed');
  expect(play((id) => failed(id, kind()))).toBe(30 + MAX_RUNS);
});

test('its last runs are minutes apart while they fail for the gateway', () => {
  const waits: number[] = [];
  let [snapshot] = initialTransition(notificationMachine, INPUT);
  for (let step = 0; step < 500 && !snapshot.matches('parking'); step++) {
    if (snapshot.matches({ working: 'resting' })) waits.push(snapshot.context.rest.inMs / 60_000);
    const event = nextEvent(snapshot, (id) => failed(id, 'runFailed'));
    [snapshot] = transition(notificationMachine, snapshot, event as NotificationEvent);
  }
  expect(waits.slice(0, 5).every((minutes) => minutes < 1)).toBe(true);
  expect(waits.slice(5, MAX_RUNS - 1)).toEqual([1, 2, 4, 8]);
});

test('a newer message in the row goes back to the queue without the runs and cuts of the older one', () => {
  const newer = { ...INPUT.row, messageId: 'm2', createdAt: INPUT.row.createdAt + 1 };
  let [snapshot] = initialTransition(notificationMachine, INPUT);
  for (let step = 0; step < 50 && !snapshot.matches('handingBack'); step++) {
    const isSecondRead = snapshot.matches('reading') && snapshot.context.entry.cuts > 0;
    if (isSecondRead) expect(snapshot.context.entry).toMatchObject({ runs: 1, cuts: 1 });
    // The gateway goes away while the run is open.
    const isOpen = snapshot.context.blame === 'gateway';
    if (isOpen)
      [snapshot] = transition(notificationMachine, snapshot, { type: 'gateway.excused', ailing: false });
    const event = isSecondRead
      ? callDone(callsOf(snapshot)[0]?.id ?? '', {
          ...READ,
          delivery: sampleContext({ notification: newer }),
        })
      : nextEvent(snapshot, (id) => callFailed(id, new Fault('runCut', 'It was cut off.')));
    [snapshot] = transition(notificationMachine, snapshot, event as NotificationEvent);
  }
  expect(snapshot.matches('handingBack')).toBe(true);
  expect(snapshot.context.entry).toMatchObject({ runs: 0, cuts: 0 });
});
