/** What delivery's chart is made of: its children and its I/O, its guards and its delays. */
import { enqueueActions, fromPromise, setup, stateIn } from 'xstate';
import { beatMachine } from '../beat/machine.ts';
import { notificationMachine } from '../notification/machine.ts';
import type { ChildOrder } from '../shared/child-messages.ts';
import type { Tag } from '../shared/tags.ts';
import { troubleMachine } from '../trouble/machine.ts';
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
import { actorIds, countWanted, nextAlone, nextToRun, nextToStart, sessionOf } from './queue.ts';
import { limitsOf } from './scopes.ts';

/** No idle poll is quicker. */
export const MIN_POLL_MS = 500;
/** When the backend is slow, no new run starts while this many notifications for each slot are past their run. */
const ALIVE_PER_SLOT = 3;
/** A session that waits to run alone lets this many runs for each slot go first. */
export const PASSED_BY_PER_SLOT = 3;

/** How many more runs could start at once, if there were rows for them. */
export const freeSlots = (context: DispatchContext): number => {
  const { queue, settings } = context;
  const limits = limitsOf(context);
  const { running, ready, preparing, waiting } = queue.counts;
  // A session that waits for its own agent takes no slot from others.
  const wanted = limits === null ? running + ready + preparing + waiting : countWanted(queue, limits);
  return Math.max(0, settings.maxConcurrentSessions - wanted);
};

/** The `done` event of a child, which XState types loosely. */
export const outputOf = ({ event }: { event: unknown }): { output: ChildOutput } =>
  event as { output: ChildOutput };

export const withoutKeys = <T>(
  record: Readonly<Record<string, T>>,
  keys: readonly string[],
): Record<string, T> => Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

/** News for the supervisor: what is wrong at that source; null when nothing is. */
export const condition = (source: string, problem: string | null = null) =>
  ({ type: 'condition.changed', source, problem, of: 'delivery' }) as const;

/** Tells every child something. */
export const tellChildren = <const TEvent extends ChildOrder>(event: TEvent) =>
  ({ type: 'tellChildren', params: { event } }) as const;

const accepting = stateIn({ active: { mode: 'accepting' } });

// The actions follow in poll, out-of-tokens, troubles, threads, one-at-a-time, aside, list-failures, beats, leaving and
// dispatch: each extends the one before.
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
    accepting,
    offerKnown: ({ context }) => context.poll.offerKnown,
    headWaits: ({ context }) =>
      nextToStart(context.queue, context.settings.maxConcurrentSessions, limitsOf(context)) !== null,
    /** A session may run, a slot is free, and Convex keeps up with what was run. */
    slotFree: ({ context }) => {
      const { queue, outOfTokens, passedBy } = context;
      const { running, answering } = queue.counts;
      const slots = context.settings.maxConcurrentSessions;
      return (
        queue.ready.length > 0 &&
        running < slots &&
        running + answering < ALIVE_PER_SLOT * slots &&
        (nextAlone(queue, outOfTokens) === null || passedBy < PASSED_BY_PER_SLOT * slots) &&
        nextToRun(queue, limitsOf(context)) !== null
      );
    },
    /** A child that delivery knows has ended, and not one of a delivery that crashed. */
    knowsChild: ({ context }, { output }: { output: ChildOutput }) =>
      sessionOf(context.queue, output.session)?.actorId != null,
    /** Nothing waits and nothing is under way. */
    queueEmpty: ({ context: { queue } }) => queue.sessions.length === queue.counts.empty,
    /** Slots are free, and Convex has rows that are not in the queue. */
    wantsMore: ({ context }) => context.poll.more === 'yes' && freeSlots(context) > 0,
    /** The next look is too far away: work that has just ended often brings more. */
    slowPoll: ({ context }) => !context.watched && context.poll.inMs > MIN_POLL_MS,
  },
  delays: { pollInterval: ({ context }) => context.poll.inMs },
}).extend({
  actions: {
    tellChildren: enqueueActions(({ enqueue: then, context }, { event }: { event: ChildOrder }) => {
      for (const id of actorIds(context.queue)) then.sendTo(id, event);
    }),
  },
});
