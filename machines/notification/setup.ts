/** What the words of the notification's chart mean: its guards and actions, from the list to the mark. */
import { assign } from 'xstate';
import type { Looked } from '../shared/child.ts';
import type { ContextRead } from './actors.ts';
import { threadOf } from './chatter.ts';
import {
  answeredVersion,
  mayHaveMoved,
  type NotificationContext,
  type Outcome,
  type Reread,
} from './context.ts';
import {
  began,
  discarded,
  forVersion,
  isActing,
  isAnswered,
  isOwed,
  movedOn,
  postBegan,
  posted,
  replied,
  markBegan,
} from './entry.ts';
import { hasTakenGatewayDown, isGivenUp } from './giving-up.ts';
import { update, restWith } from './parts.ts';
import { meaningOf, type Reply } from './reply.ts';
import { mustAnswer, skipReason } from './rules.ts';
import { withToolCalls } from './tool-calls.ts';
import { coalesces, hasMoved, isSameVersion, versionOf } from './version.ts';

/** After this many runs without a word, the thread is told (docs/contract.md#silence). */
export const MAX_SILENT_ATTEMPTS = 3;

/** All is done with the version in hand. What an earlier process posted is in the entry already. */
const isFinished = ({ result: { outcome }, reply }: NotificationContext): boolean =>
  isGivenUp(outcome) || (reply !== null && (outcome === 'delivered' || outcome === 'silent'));

export const notificationSetup = withToolCalls.extend({
  guards: {
    leaving: ({ context }) => context.permission === 'leaving',
    gone: ({ context }) => context.delivery === null,
    alreadyMarked: ({ context: { delivery, entry } }) =>
      delivery?.notification.deliveredAt !== undefined && !isOwed(delivery.notification, entry),
    replyKept: ({ context }) => context.entry.reply !== null,
    answeredAlready: ({ context: { entry, delivery } }) =>
      delivery !== null && isAnswered(entry, versionOf(delivery.notification)),
    skippedByRule: ({ context }) => context.delivery !== null && skipReason(context.delivery) !== null,
    /** The row was never answered, and a newer message has moved it in the queue: rows that are older now go first. */
    movedInQueue: ({ context: { entry, delivery, row } }) =>
      entry.posts === 0 && delivery !== null && hasMoved(delivery.notification, versionOf(row)),
    /** The context that was read again leads to the same run. */
    sameRun: ({ context }, { delivery }: Reread) =>
      delivery !== null &&
      delivery.notification.deliveredAt === context.delivery?.notification.deliveredAt &&
      skipReason(delivery) === null &&
      !hasTakenGatewayDown(context.entry) &&
      isSameVersion(versionOf(delivery.notification), context.version) &&
      context.permission === 'allowed',
    saysNothing: ({ context }) => context.reply !== null && meaningOf(context.reply).kind === 'silence',
    noReply: ({ context }) => context.reply !== null && meaningOf(context.reply).kind === 'noReply',
    answerDue: ({ context }) => context.delivery !== null && mustAnswer(context.delivery),
    silentAttemptsLeft: ({ context }) => context.entry.attempts < MAX_SILENT_ATTEMPTS,
    hasThread: ({ context }) => context.delivery?.task != null && context.delivery.agent !== null,
    /** The row had a thread, and the reply has none to go to. */
    threadGone: ({ context: { row, delivery } }) =>
      row.taskId !== undefined && delivery !== null && (delivery.task === null || delivery.agent === null),
    completes: ({ context: { backend, entry, result } }) =>
      backend.completes && entry.begun === null && !isGivenUp(result.outcome),
    hasMessage: ({ context: { result } }) => result.outcome === 'delivered' || isGivenUp(result.outcome),
    firstMessage: ({ context }) => context.entry.posts === 0,
    postBegun: ({ context }) => context.entry.begun !== null,
    mayHaveMoved: ({ context }) => mayHaveMoved(context),
    moved: ({ context }, { delivery }: Reread) =>
      delivery !== null && hasMoved(delivery.notification, context.version),
    isMoved: (_, { delivery }: Reread) => delivery !== null,
  },
  actions: {
    leave: assign({ permission: 'leaving' }),
    keepContext: update((context, { delivery, completes, typing }: ContextRead) => {
      const { backend, entry, thread } = context;
      const version = delivery && versionOf(delivery.notification);
      return {
        delivery,
        version,
        thread: delivery && threadOf(delivery, thread),
        entry: forVersion(entry, version),
        backend: { ...backend, completes, typing: backend.typing || typing },
        ...restWith(context, { stepFailures: 0, rowFailures: 0 }),
      };
    }),
    useKeptReply: update(({ entry: { reply }, version }) => ({ reply, version: reply?.version ?? version })),
    nameSkip: update(({ result, delivery }) => ({
      result: { ...result, outcome: 'skipped', reason: delivery && skipReason(delivery) },
    })),
    setOutcome: update(({ result }, params: { outcome: Outcome }) => ({
      result: { ...result, outcome: params.outcome },
    })),
    takeSlot: update((_, { trial }: { trial: boolean }) => ({ trial })),
    begin: update(({ entry, version, trial, result }) => ({
      entry: began(entry, version),
      blame: trial ? 'gateway' : 'notification',
      unpaid: !isActing(entry),
      stalled: false,
      ...(entry.rounds.count === 0 && { result: { ...result, runMs: null } }),
    })),
    keepReply: update((context, { reply, runMs }: { reply: Reply; runMs: number }) => {
      const { entry, version, backend, result } = context;
      return {
        reply,
        entry: version === null ? entry : replied(entry, reply, version),
        blame: null,
        backend: { ...backend, typing: false },
        result: { ...result, runMs: (result.runMs ?? 0) + runMs },
        ...restWith(context, { runFailures: 0, unknownForMs: 0, counted: false, cause: null }),
      };
    }),
    discardReply: update(({ entry }) => ({ entry: discarded(entry), reply: null })),
    /** Goes on to a newer message. Its attempts start at zero if all is done with the older one. */
    moveOn: update((context, { delivery }: Reread) => {
      const { entry, row, thread, result } = context;
      return {
        entry: movedOn(entry, isFinished(context)),
        delivery,
        thread: delivery && threadOf(delivery, thread),
        // A row that was never answered keeps its old place here, so that it is handed back and waits behind older rows.
        row: entry.posts === 0 ? row : (delivery?.notification ?? row),
        version: delivery && versionOf(delivery.notification),
        reply: null,
        result: { ...result, note: null, runMs: null },
        ...restWith(context, { stepFailures: 0, rowFailures: 0 }),
      };
    }),
    /** Convex recognises a later message by the row's version, and only in this function: the journal says that it begins. */
    beginCompletion: update(({ entry, delivery, input, result }) =>
      entry.posts === 0 || result.outcome !== 'delivered'
        ? {}
        : { entry: postBegan(entry, input.moment(), delivery?.thread.at(-1)?.messageId ?? null) },
    ),
    beginPost: update(({ entry, delivery, input }) => ({
      entry: postBegan(entry, input.moment(), delivery?.thread.at(-1)?.messageId ?? null),
    })),
    countPost: update((context) => ({
      entry: posted(context.entry, answeredVersion(context)),
      ...restWith(context, { stepFailures: 0, rowFailures: 0 }),
    })),
    /** Convex gives back what has moved. The reply, if there was one, is in the thread. */
    countCompletedPost: update((context) => ({
      entry: (context.result.outcome === 'delivered' ? posted : markBegan)(
        context.entry,
        answeredVersion(context),
      ),
    })),
    beginMark: update(({ entry, version, delivery }) => ({
      entry:
        version !== null && delivery !== null && coalesces(delivery.notification)
          ? markBegan(entry, version)
          : entry,
    })),
    goStepByStep: update(({ backend }) => ({ backend: { ...backend, completes: false } })),
    noteArrival: update((context, { mayArriveForMs }: Looked) => restWith(context, { inMs: mayArriveForMs })),
  },
});
