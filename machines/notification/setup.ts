/** What the words of the notification's chart mean: its guards and actions, from the list to the mark. */
import { assign } from 'xstate';
import type { Failure } from '../shared/fault.ts';
import type { ToolAnswer } from '../shared/acting.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import { mayCall } from '../shared/rounds.ts';
import type { ToolCall } from '../shared/tools.ts';
import { answeredVersion, mayHaveMoved, type NotificationContext, type Outcome } from './context.ts';
import {
  began,
  callAnswered,
  callBegan,
  called,
  coalesces,
  discarded,
  forVersion,
  gaveUp,
  hasMoved,
  isActing,
  isOwed,
  isSameVersion,
  movedOn,
  postBegan,
  posted,
  replied,
  settled,
  versionOf,
  type Entry,
} from './entry.ts';
import { isChatter, isChatterNoted, paceOf, threadOf } from './chatter.ts';
import { MAX_RUNS, mostAttempts, withFailures } from './failures.ts';
import type { NoteReason } from './notes.ts';
import { CUTS_IN_COMPANY, learn, rested } from './parts.ts';
import { meaningOf, type Reply } from './reply.ts';
import { alwaysWantsAnswer, mustAnswer, skipReason } from './rules.ts';

/** Three times alone are no coincidence any more. */
export const MAX_CUTS = CUTS_IN_COMPANY + 3;
/** After this many runs without a word, the thread is told (docs/contract.md#silence). */
export const MAX_SILENT_ATTEMPTS = 3;

const hasTakenGatewayDown = ({ cuts }: Entry): boolean => cuts >= MAX_CUTS;

const OUTCOMES: Partial<Record<NoteReason, Outcome>> = { noReply: 'unanswered', chatter: 'chatter' };

const outcomeOf = (note: NoteReason | null): Outcome => (note && OUTCOMES[note]) ?? 'parked';

const isGivenUp = (outcome: Outcome): boolean => ['parked', 'unanswered', 'chatter'].includes(outcome);

/** All is done with the version in hand. The entry knows what an earlier process posted. */
const isFinished = ({ result: { outcome }, reply }: NotificationContext): boolean =>
  isGivenUp(outcome) || (reply !== null && (outcome === 'delivered' || outcome === 'silent'));

interface ReadOutput {
  delivery: DeliveryContext | null;
  completes: boolean;
  typing: boolean;
}

export interface Reread {
  delivery: DeliveryContext | null;
}

export const notificationSetup = withFailures.extend({
  guards: {
    leaving: ({ context }) => context.permission === 'leaving',
    gone: ({ context }) => context.delivery === null,
    alreadyMarked: ({ context: { delivery, entry } }) =>
      delivery?.notification.deliveredAt !== undefined && !isOwed(delivery.notification, entry),
    givenUpBefore: ({ context }) => context.entry.parked !== null,
    replyKept: ({ context }) => context.entry.reply !== null,
    answeredAlready: ({ context: { entry, delivery } }) =>
      entry.posts > 0 &&
      entry.answered !== null &&
      delivery !== null &&
      isSameVersion(entry.answered, versionOf(delivery.notification)),
    skippedByRule: ({ context }) => context.delivery !== null && skipReason(context.delivery) !== null,
    /** The gateway went down each time: in company first, then while this run alone was open. */
    tookGatewayDown: ({ context }) => hasTakenGatewayDown(context.entry),
    /** Agents only answer each other. A run that has called something goes on. */
    chatters: ({ context: { delivery, thread, input, entry } }) =>
      delivery !== null && entry.rounds.count === 0 && isChatter(delivery, thread, input.chainLimit),
    /** The agents' messages come faster and faster: this version has not waited yet. */
    mustPace: ({ context: { delivery, thread, input, version, paced } }) =>
      delivery !== null &&
      paceOf(delivery, thread, input.chainLimit) > 0 &&
      !(version !== null && paced !== null && isSameVersion(version, paced)),
    /** Another row of its session waits, and only agents have written. */
    stillPaced: ({ context: { thread, input, version } }, { delivery }: Reread) =>
      delivery !== null &&
      version !== null &&
      !hasMoved(delivery.notification, version) &&
      paceOf(delivery, threadOf(delivery, thread), input.chainLimit) > 0,
    attemptsSpent: ({ context: { entry, delivery } }) =>
      entry.attempts >= mostAttempts(delivery) || (entry.runs >= MAX_RUNS && !isActing(entry)),
    /** The row was never answered and has moved in the queue: rows older than its newer message go first. */
    movedInQueue: ({ context: { entry, delivery, row } }) =>
      entry.posts === 0 && delivery !== null && hasMoved(delivery.notification, versionOf(row)),
    /** The context that was read again leads to the same run. */
    sameRun: ({ context }, { delivery }: Reread) =>
      delivery !== null &&
      delivery.notification.deliveredAt === context.delivery?.notification.deliveredAt &&
      skipReason(delivery) === null &&
      !hasTakenGatewayDown(context.entry) &&
      context.version !== null &&
      !hasMoved(delivery.notification, context.version) &&
      context.permission === 'allowed',
    mayAct: ({ context }, { calls }: { calls: readonly ToolCall[] }) =>
      calls.length > 0 && mayCall(context.entry.rounds),
    /** A call is not answered yet. */
    isActing: ({ context }) => isActing(context.entry),
    saysNothing: ({ context }) => context.reply !== null && meaningOf(context.reply).kind === 'silence',
    noReply: ({ context }) => context.reply !== null && meaningOf(context.reply).kind === 'noReply',
    answerDue: ({ context }) => context.delivery !== null && mustAnswer(context.delivery),
    silentAttemptsLeft: ({ context }) => context.entry.attempts < MAX_SILENT_ATTEMPTS,
    hasThread: ({ context }) => context.delivery?.task != null && context.delivery.agent !== null,
    /** The row had a thread, and the reply has none to go to. */
    threadGone: ({ context: { row, delivery } }) =>
      row.taskId !== undefined && delivery !== null && (delivery.task === null || delivery.agent === null),
    /** A row that needs no answer leaves no note, and no version leaves two. */
    noteDue: ({ context }) => {
      const { row, delivery, entry, result } = context;
      const isNoted =
        entry.posts > 0 && entry.answered !== null && isSameVersion(entry.answered, answeredVersion(context));
      if (row.taskId === undefined || isNoted) return false;
      if (result.note === 'chatter') return delivery?.agent != null && !isChatterNoted(delivery);
      if (delivery === null) return alwaysWantsAnswer(row);
      return delivery.task !== null && delivery.agent !== null && mustAnswer(delivery);
    },
    completes: ({ context: { backend, entry, result } }) =>
      backend.completes && entry.begun === null && !isGivenUp(result.outcome),
    hasMessage: ({ context: { result } }) => result.outcome === 'delivered' || isGivenUp(result.outcome),
    firstMessage: ({ context }) => context.entry.posts === 0,
    postBegun: ({ context }) => context.entry.begun !== null,
    givenUp: ({ context }) => isGivenUp(context.result.outcome),
    mayHaveMoved: ({ context }) => mayHaveMoved(context),
    moved: ({ context }, { delivery }: Reread) =>
      delivery !== null && context.version !== null && hasMoved(delivery.notification, context.version),
    isMoved: (_, { delivery }: Reread) => delivery !== null,
  },
  actions: {
    leave: assign({ permission: 'leaving' }),
    keepContext: learn((context, { delivery, completes, typing }: ReadOutput) => {
      const { backend, entry, thread } = context;
      const version = delivery && versionOf(delivery.notification);
      return {
        delivery,
        version,
        thread: delivery && threadOf(delivery, thread),
        entry: forVersion(entry, version),
        backend: { ...backend, completes, typing: backend.typing || typing },
        ...rested(context, { stepFailures: 0, rowFailures: 0 }),
      };
    }),
    useKeptReply: learn(({ entry: { reply }, version }) => ({ reply, version: reply?.version ?? version })),
    giveUpAgain: learn(({ result, entry }) => ({
      result: { ...result, note: entry.parked, outcome: outcomeOf(entry.parked) },
    })),
    nameSkip: learn(({ result, delivery }) => ({
      result: { ...result, outcome: 'skipped', reason: delivery && skipReason(delivery) },
    })),
    setOutcome: learn(({ result }, params: { outcome: Outcome }) => ({
      result: { ...result, outcome: params.outcome },
    })),
    giveUp: learn((context, { note }: { note: NoteReason }) => ({
      entry: gaveUp(context.entry, note, answeredVersion(context)),
      result: { ...context.result, note, outcome: outcomeOf(note) },
    })),
    drawPace: learn((context) => ({
      paced: context.version,
      ...rested(context, {
        inMs: context.delivery ? paceOf(context.delivery, context.thread, context.input.chainLimit) : 0,
      }),
    })),
    takeSlot: learn((_, { trial }: { trial: boolean }) => ({ trial })),
    begin: learn(({ entry, version, trial, result }) => ({
      entry: began(entry, version),
      blame: trial ? 'gateway' : 'notification',
      unpaid: !isActing(entry),
      stalled: false,
      ...(entry.rounds.count === 0 && { result: { ...result, runMs: null } }),
    })),
    keepReply: learn((context, { reply, runMs }: { reply: Reply; runMs: number }) => {
      const { entry, version, backend, result } = context;
      return {
        reply,
        entry: version === null ? entry : replied(entry, reply, version),
        blame: null,
        backend: { ...backend, typing: false },
        result: { ...result, runMs: (result.runMs ?? 0) + runMs },
        ...rested(context, { runFailures: 0, unknownForMs: 0, counted: false, cause: null }),
      };
    }),
    keepCalls: learn(
      ({ entry, result, version, delivery }, params: { calls: readonly ToolCall[]; runMs: number }) => ({
        entry: called(entry, params.calls, { version, taskStatus: delivery?.task?.status ?? null }),
        unpaid: false,
        result: { ...result, runMs: (result.runMs ?? 0) + params.runMs },
      }),
    ),
    keepAnswer: learn((context, { answer }: { answer: ToolAnswer }) => ({
      entry: callAnswered(context.entry, answer),
      ...rested(context, { callFailures: 0 }),
    })),
    /** The call may have had its effect: it is made again as a repeat, when Convex is back. */
    keepCallBegun: learn((context, { fault }: Failure) =>
      // The journal did not take the call, so it did not go out.
      fault.kind === 'journalUnavailable'
        ? {}
        : {
            entry: callBegan(context.entry),
            ...rested(context, { callFailures: context.rest.callFailures + 1 }),
          },
    ),
    discardReply: learn(({ entry }) => ({ entry: discarded(entry), reply: null })),
    /** A newer message: attempts start at zero where all is done with the older one. */
    moveOn: learn((context, { delivery }: Reread) => {
      const { entry, row, thread, result } = context;
      return {
        entry: movedOn(entry, isFinished(context)),
        delivery,
        thread: delivery && threadOf(delivery, thread),
        // A row that was never answered waits at its new place, behind older ones.
        row: entry.posts === 0 ? row : (delivery?.notification ?? row),
        version: delivery && versionOf(delivery.notification),
        reply: null,
        result: { ...result, note: null, runMs: null },
        ...rested(context, { stepFailures: 0, rowFailures: 0 }),
      };
    }),
    /** After the first message Convex recognises a later one only by its version, and only in this function. */
    beginCompletion: learn(({ entry, delivery, input, result }) =>
      entry.posts === 0 || result.outcome !== 'delivered'
        ? {}
        : { entry: postBegan(entry, input.moment(), delivery?.thread.at(-1)?.messageId ?? null) },
    ),
    beginPost: learn(({ entry, delivery, input }) => ({
      entry: postBegan(entry, input.moment(), delivery?.thread.at(-1)?.messageId ?? null),
    })),
    countPost: learn((context) => ({
      entry: posted(context.entry, answeredVersion(context)),
      ...rested(context, { stepFailures: 0, rowFailures: 0 }),
    })),
    /** Convex gives back what has moved. The reply, if there was one, is in the thread. */
    countCompletedPost: learn((context) => ({
      entry: (context.result.outcome === 'delivered' ? posted : settled)(
        context.entry,
        answeredVersion(context),
      ),
    })),
    settle: learn(({ entry, version, delivery }) => ({
      entry:
        version !== null && delivery !== null && coalesces(delivery.notification)
          ? settled(entry, version)
          : entry,
    })),
    goStepByStep: learn(({ backend }) => ({ backend: { ...backend, completes: false } })),
    noteArrival: learn((context, params: { mayArriveForMs: number }) =>
      rested(context, { inMs: params.mayArriveForMs }),
    ),
  },
});
