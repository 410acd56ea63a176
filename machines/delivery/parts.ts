/** What delivery's chart is made of: its children and its I/O, its guards and its delays. */
import { fromPromise, setup, stateIn } from 'xstate';
import { beatMachine } from '../beat/machine.ts';
import { notificationMachine } from '../notification/machine.ts';
import type { Fault } from '../shared/fault.ts';
import type { Tag } from '../shared/tags.ts';
import { troubleMachine, type TroubleOutput } from '../trouble/machine.ts';
import {
  type ChildOutput,
  type DeliveryEvent,
  type DeliveryInput,
  type DispatchContext,
  type ListInput,
  type Page,
  type RestNote,
  type RestNoteOutput,
} from './context.ts';
import {
  countWanted,
  nextAlone,
  nextToRun,
  nextToStart,
  nextToTry,
  sessionOf,
  sessionWith,
} from './queue.ts';
import { limitsOf } from './scopes.ts';

/** No idle poll is quicker. */
export const MIN_POLL_MS = 500;
/** When the backend is slow, no new run starts while this many notifications for each slot are past their run. */
const ALIVE_PER_SLOT = 3;
/** A session that waits to run alone lets this many runs for each slot go first. */
const PASSED_BY_PER_SLOT = 3;
/** How long a delivery that has nothing left to do waits for Convex to take its lent rows back. */
const RELEASE_MS = 2_000;
/** How long others wait for a run that goes alone. */
const ALONE_MS = 20_000;

/** How many more runs could start at once, if there were rows for them. */
export const freeSlots = ({ queue, settings, troubles, resting }: DispatchContext): number => {
  const limits = limitsOf(troubles, resting);
  const { running, ready, preparing, waiting } = queue.counts;
  // A session that waits for its own agent takes no slot from others.
  const wanted = limits === null ? running + ready + preparing + waiting : countWanted(queue, limits);
  return Math.max(0, settings.maxConcurrentSessions - wanted);
};

/** The `done` event of a child, which XState types loosely. */
export const outputOf = ({ event }: { event: unknown }): { output: ChildOutput } =>
  event as { output: ChildOutput };
/** The same for a thread that was told. */
export const restNoteOf = ({ event }: { event: unknown }): { output: RestNoteOutput } =>
  event as { output: RestNoteOutput };
export const troubleOf = ({ event }: { event: unknown }): { output: TroubleOutput } =>
  event as { output: TroubleOutput };

export const withoutKeys = <T>(
  record: Readonly<Record<string, T>>,
  keys: readonly string[],
): Record<string, T> => Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

/** News for the supervisor: that problem is over. */
export const isWell = (source: string) =>
  ({ type: 'condition.changed', source, problem: null, of: 'delivery' }) as const;

const accepting = stateIn({ active: { mode: 'accepting' } });

// The actions follow in looks, rests, troubles, threads, trials, aside and dispatch: each extends the one before.
export const deliveryParts = setup({
  types: {} as {
    context: DispatchContext;
    input: DeliveryInput;
    events: DeliveryEvent;
    tags: Tag;
  },
  actors: {
    notification: notificationMachine,
    beat: beatMachine,
    trouble: troubleMachine,
    listUndelivered: fromPromise<Page, ListInput>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
    /** Tells a thread, once for each day, that its agent rests; where no answer is due it tells nothing. Never fails. */
    tellRest: fromPromise<RestNoteOutput, RestNote>(({ input: { session, notificationId } }) =>
      Promise.resolve({ kind: 'restNote', session, notificationId, result: 'told' }),
    ),
    /** Gives back the rows that are lent to this runtime, without those whose run is open or over. */
    releaseRows: fromPromise<void, { keep: readonly string[] }>(() => Promise.resolve()),
  },
  guards: {
    gateOpenAtStart: ({ context }) => context.gate === 'open',
    trialAtStart: ({ context }) => context.gate === 'trial',
    accepting,
    offerKnown: ({ context }) => context.poll.offerKnown,
    isExcused: (_, params: { excused: boolean }) => params.excused,
    draining: stateIn({ active: { mode: 'draining' } }),
    released: stateIn({ active: { mode: { draining: 'released' } } }),
    headWaits: ({ context: { queue, settings, troubles, resting } }) =>
      nextToStart(queue, settings.maxConcurrentSessions, limitsOf(troubles, resting)) !== null,
    /** A session may run, a slot is free, and Convex keeps up with what was run. */
    slotFree: ({ context: { queue, settings, troubles, resting, passedBy } }) =>
      queue.ready.length > 0 &&
      queue.counts.running < settings.maxConcurrentSessions &&
      queue.counts.running + queue.counts.answering < ALIVE_PER_SLOT * settings.maxConcurrentSessions &&
      (nextAlone(queue, resting) === null ||
        passedBy < PASSED_BY_PER_SLOT * settings.maxConcurrentSessions) &&
      nextToRun(queue, limitsOf(troubles, resting)) !== null,
    /** No run is open, and a session waits for such a moment. */
    aloneFree: ({ context: { queue, resting } }) =>
      queue.counts.running === 0 && nextAlone(queue, resting) !== null,
    /** A session has waited for long to run alone, and is let through. */
    aloneDue: ({ context: { queue, settings, resting, passedBy } }) =>
      nextAlone(queue, resting) !== null && passedBy >= PASSED_BY_PER_SLOT * settings.maxConcurrentSessions,
    noneAlone: ({ context: { queue, resting } }) => nextAlone(queue, resting) === null,
    noRunOpen: ({ context: { queue } }) => queue.counts.running === 0,
    /** No trial is out. Runs from before the trouble may still be under way, and are not waited for. */
    trialFree: ({ context: { trials, queue, resting } }) =>
      trials.session === null &&
      queue.counts.preparing === 0 &&
      nextToTry(queue, trials.tried, resting) !== null,
    /** A child that delivery knows has ended, and not one of a delivery that crashed. */
    knowsChild: ({ context }, { output }: { output: ChildOutput }) =>
      sessionOf(context.queue, output.session)?.actorId != null,
    isRestNote: (_, { output }: { output: { kind: string } }) => output.kind === 'restNote',
    agentRests: ({ context }, { agent }: { agent: { _id: string } }) =>
      context.resting[agent._id] !== undefined,
    isTrouble: (_, { output }: { output: { kind: string } }) => output.kind === 'trouble',
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
    /** Nothing waits and nothing is under way. */
    queueEmpty: ({ context: { queue } }) => queue.sessions.length === queue.counts.empty,
    /** Slots are free, and Convex has rows that are not in the queue. */
    wantsMore: ({ context }) => context.poll.more === 'yes' && freeSlots(context) > 0,
    /** The next look is too far away: work that has just ended often brings more. */
    slowPoll: ({ context }) => !context.watched && context.poll.inMs > MIN_POLL_MS,
    gatewayInDoubt: ({ context }) => context.gatewayInDoubt,
    hasSession: ({ context }, params: { actorId: string }) =>
      sessionWith(context.queue, params.actorId) !== undefined,
  },
  delays: {
    pollInterval: ({ context }) => context.poll.inMs,
    pollBackoff: ({ context }) => context.poll.inMs,
    aloneLimit: ALONE_MS,
    releaseLimit: RELEASE_MS,
  },
});
