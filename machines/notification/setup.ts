/** What the words of the notification's chart mean: its guards, delays and actions. */
import { assign, setup } from 'xstate';
import { backoff } from '../shared/backoff.ts';
import { childActions, childDelays, childGuards, teller, type Failure } from '../shared/child.ts';
import { isAttempt, isGatewayTrouble, type Fault } from '../shared/fault.ts';
import type { ToolAnswer } from '../shared/acting.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import { mayCall } from '../shared/rounds.ts';
import type { ToolCall } from '../shared/tools.ts';
import type { Tag } from '../shared/tags.ts';
import { whoIs, type Who } from '../shared/who.ts';
import { notificationActors } from './actors.ts';
import {
  answeredVersion,
  mayHaveMoved,
  type NotificationContext,
  type NotificationEvent,
  type NotificationInput,
  type NotificationOutput,
  type Outcome,
  type Rest,
} from './context.ts';
import {
  began,
  callAnswered,
  callBegan,
  called,
  coalesces,
  cut,
  discarded,
  excused,
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
} from './entry.ts';
import { isChatter, isChatterNoted, paceOf, threadOf } from './chatter.ts';
import type { NoteReason } from './notes.ts';
import { meaningOf, type Reply } from './reply.ts';
import { alwaysWantsAnswer, mustAnswer, skipReason } from './rules.ts';

/** After this many attempts a notification is given up. */
export const MAX_ATTEMPTS = 5;
/** The same where no answer is due: nobody waits for it, and nobody is told. */
export const MAX_PASSIVE_ATTEMPTS = 2;
/** After the gateway has gone down this often while a run and others were open, the run goes alone. */
export const CUTS_IN_COMPANY = 2;
/** Three times alone are no coincidence any more. */
export const MAX_CUTS = CUTS_IN_COMPANY + 3;
/** No version of a row gets more runs that somebody pays for, whatever the reasons. */
export const MAX_RUNS = 10;
/** After this many runs a row waits longer after each one that failed because of the gateway: its ten runs must outlast the trouble. */
export const SPARED_FROM = 6;
/** After this many runs without a word, the thread is told (docs/contract.md#silence). */
export const MAX_SILENT_ATTEMPTS = 3;
/** How long the gateway may lack an agent before its notifications are given up. Its roster may still be on its way. */
export const UNKNOWN_AGENT_MS = 120_000;
/** A context that was read longer ago is read again before a run. */
const FRESH_MS = 2_000;
/** When Convex was away this often at one call, the agent is told, and goes on without it. */
export const MAX_CALL_FAILURES = 5;

const mostAttempts = (delivery: DeliveryContext | null): number =>
  delivery !== null && !mustAnswer(delivery) ? MAX_PASSIVE_ATTEMPTS : MAX_ATTEMPTS;

/** A session whose row could not be read yet has only ids. */
export const whoIn = ({ delivery, row }: NotificationContext): Who =>
  whoIs(delivery?.agent?.slug ?? row.recipientId, delivery?.task?.title ?? row.title);

const OUTCOMES: Partial<Record<NoteReason, Outcome>> = { noReply: 'unanswered', chatter: 'chatter' };

const outcomeOf = (note: NoteReason | null): Outcome => (note && OUTCOMES[note]) ?? 'parked';

const isGivenUp = (outcome: Outcome): boolean => ['parked', 'unanswered', 'chatter'].includes(outcome);

/** All is done with the version in hand. The entry knows what an earlier process posted. */
const isFinished = ({ result: { outcome }, reply }: NotificationContext): boolean =>
  isGivenUp(outcome) || (reply !== null && (outcome === 'delivered' || outcome === 'silent'));

type Change<TParams> = (context: NotificationContext, params: TParams) => Partial<NotificationContext>;

const learn = <TParams extends object | undefined = undefined>(change: Change<TParams>) =>
  assign<NotificationContext, NotificationEvent, TParams, NotificationEvent, never>(({ context }, params) =>
    change(context, params),
  );

const tell = teller<NotificationContext, NotificationEvent>();

const rested = ({ rest }: NotificationContext, change: Partial<Rest>) => ({ rest: { ...rest, ...change } });

/** A row that has few runs left leaves the trials to others, for 1, 2, 4 ... minutes. */
export const spareMs = ({ rest, entry }: Pick<NotificationContext, 'rest' | 'entry'>): number =>
  rest.counted || rest.cause === null || !isAttempt(rest.cause) || entry.runs < SPARED_FROM
    ? 0
    : 60_000 * 2 ** (entry.runs - SPARED_FROM);

interface ReadOutput {
  delivery: DeliveryContext | null;
  completes: boolean;
  typing: boolean;
}

export interface Reread {
  delivery: DeliveryContext | null;
}

interface Called {
  name: string;
}

export const notificationSetup = setup({
  types: {} as {
    context: NotificationContext;
    input: NotificationInput;
    output: NotificationOutput;
    events: NotificationEvent;
    tags: Tag;
  },
  actors: notificationActors,
  guards: {
    ...childGuards,
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
    tookGatewayDown: ({ context }) => context.entry.cuts >= MAX_CUTS,
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
    textTooLong: (_, { kind }: Failure) => kind === 'textTooLong',
    limited: (_, { kind }: Failure) => kind === 'runLimited',
    agentUnknown: (_, { kind }: Failure) => kind === 'agentUnknown',
    agentUnknownTooLong: ({ context }, { kind }: Failure) =>
      kind === 'agentUnknown' && context.rest.unknownForMs >= UNKNOWN_AGENT_MS,
    permanent: (_, { kind }: Failure) => kind === 'requestRejected',
    /** Whose failure a cut run is shows in the next probe, so it is given up only after that. */
    lastAttempt: ({ context }, { kind }: Failure) =>
      isAttempt(kind) &&
      kind !== 'runCut' &&
      (context.entry.attempts >= mostAttempts(context.delivery) || context.entry.runs >= MAX_RUNS),
    gatewayBlamed: ({ context }, { kind }: Failure) => context.blame === 'gateway' && isAttempt(kind),
    /** Not this row's trouble: the step waits for whoever is away. */
    sideAway: (_, { kind }: Failure) =>
      kind === 'backendUnavailable' || kind === 'backendRefused' || kind === 'journalUnavailable',
    /** The function fails for different rows alike: the step waits, and the row counts nothing. */
    functionTroubled: ({ context }, { name }: Called) => context.backend.troubled.includes(name),
    rowFailedTooOften: ({ context }) => context.rest.rowFailures + 1 >= MAX_ATTEMPTS,
    counted: ({ context }) => context.rest.counted,
    waitsForGateway: ({ context: { rest } }) =>
      !rest.counted && rest.cause !== null && (isGatewayTrouble(rest.cause) || isAttempt(rest.cause)),
    failing: ({ context: { rest } }) => rest.counted && rest.runFailures > 0,
    /** The gateway did not ask for a wait. */
    waitsForAgent: ({ context: { rest } }) => rest.counted && rest.floorMs === 0,
    waitsForBackend: ({ context }) => context.rest.cause === 'backendUnavailable',
    waitsForJournal: ({ context }) => context.rest.cause === 'journalUnavailable',
  },
  delays: {
    ...childDelays,
    freshness: FRESH_MS,
    pace: ({ context }) => context.rest.inMs,
    runBackoff: ({ context }) => context.rest.inMs,
  },
  actions: {
    ...childActions<NotificationContext, NotificationEvent>({
      who: whoIn,
      task: ({ delivery }) => delivery?.task?.title ?? null,
      reason: ({ result }) => result.reason,
      alone: ({ entry }) => entry.cuts >= CUTS_IN_COMPANY,
    }),
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
        ...rested(context, { stepFailures: 0 }),
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
    begin: learn(({ entry, trial, result }) => ({
      entry: began(entry),
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
    keepCallBegun: learn((context, { fault }: { fault: Fault }) =>
      // The journal did not take the call, so it did not go out.
      fault.kind === 'journalUnavailable'
        ? {}
        : {
            entry: callBegan(context.entry),
            ...rested(context, { callFailures: context.rest.callFailures + 1 }),
          },
    ),
    /** The attempt was counted as the run began, and it stays. */
    countAttempt: learn((context) => ({ blame: null, ...rested(context, { counted: true }) })),
    excuse: learn((context, { paid }: { paid: boolean }) => {
      const { entry, rest, unpaid } = context;
      return {
        entry: excused(paid && rest.cause === 'runCut' ? cut(entry) : entry, paid || !unpaid),
        blame: null,
        ...rested(context, { counted: false }),
      };
    }),
    /** A run that is cut off by our own leaving is nobody's failure. */
    excuseOpenRun: learn(({ blame, entry }) =>
      blame === null ? {} : { blame: null, entry: excused(entry, true) },
    ),
    blameGateway: learn(({ blame }) => ({ trial: true, ...(blame && { blame: 'gateway' }) })),
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
      ...rested(context, { stepFailures: 0 }),
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
    keepFault: learn((context, { fault }: { fault: Fault }) => ({
      result: { ...context.result, reason: fault.message },
      backend: { ...context.backend, typing: false },
      ...rested(context, { floorMs: fault.retryAfterMs, cause: fault.kind }),
    })),
    keepStepFault: learn((context, { fault }: { fault: Fault }) => ({
      result: { ...context.result, reason: fault.message },
      ...rested(context, { floorMs: fault.retryAfterMs, cause: fault.kind }),
    })),
    countRowFailure: learn((context) => rested(context, { rowFailures: context.rest.rowFailures + 1 })),
    countUnknown: learn((context) =>
      rested(context, {
        unknownForMs:
          context.rest.unknownForMs + (context.rest.cause === 'agentUnknown' ? context.rest.inMs : 0),
      }),
    ),
    drawRun: learn((context) => {
      const { rest, input } = context;
      const runFailures = rest.runFailures + 1;
      return rested(context, {
        runFailures,
        inMs: backoff(runFailures, input.runs, input.random(), Math.max(rest.floorMs, spareMs(context))),
      });
    }),
    drawStep: learn((context) => {
      const { rest, input } = context;
      const stepFailures = rest.stepFailures + 1;
      return rested(context, {
        stepFailures,
        inMs: backoff(stepFailures, input.backend, input.random(), rest.floorMs),
      });
    }),
    noteArrival: learn((context, params: { mayArriveForMs: number }) =>
      rested(context, { inMs: params.mayArriveForMs }),
    ),
    noteTroubled: learn((context, { names }: { names: readonly string[] }) => ({
      backend: { ...context.backend, troubled: names },
      // Given back once: a row that fails whatever the function does is given up in the end.
      ...(names.length > context.backend.troubled.length &&
        !context.rest.forgiven &&
        rested(context, { rowFailures: 0, forgiven: true })),
    })),
    reportFunctionFailed: tell((session, { fault, name }: { fault: Fault } & Called, context) => ({
      type: 'function.failed',
      session,
      who: whoIn(context),
      name,
      reason: fault.message,
    })),
    /** A success is news only after a failure. */
    reportFunctionPassed: tell((session, { name }: Called, { input, rest, backend, delivery }) => {
      // A context that came with the list says nothing about the function that reads one.
      if (name === 'getNotificationForDelivery' && input.given !== null && delivery === null) return null;
      if (rest.stepFailures === 0 && !backend.troubled.includes(name)) return null;
      return { type: 'function.passed', session, name };
    }),
    noteStall: assign({ stalled: true }),
    reportLimited: tell((session, { fault }: { fault: Fault }, context) => ({
      type: 'session.troubled',
      session,
      who: whoIn(context),
      reason: `${fault.message} It asks for a wait of ${Math.ceil(fault.retryAfterMs / 1_000)} s.`,
    })),
    /** Its agent is well again, and it has failed: until it succeeds the trouble is its own. */
    reportFailing: tell((session, _, context) => ({
      type: 'session.troubled',
      session,
      who: whoIn(context),
      reason: context.result.reason ?? '',
    })),
    reportUnknown: tell((session, { fault }: { fault: Fault }, context) => ({
      type: 'agent.unknown',
      session,
      who: whoIn(context),
      reason: fault.message,
    })),
  },
});
