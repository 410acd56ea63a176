/** What the words of the lane's chart mean: its guards, delays and actions. */
import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { backoff } from '../shared/backoff.ts';
import { faultOf, isAttempt, isGatewayTrouble, type Fault, type FaultKind } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import type { Tag } from '../shared/tags.ts';
import { laneActors } from './actors.ts';
import {
  freshWork,
  hasMoved,
  isAlone,
  isOwed,
  versionOf,
  type LaneContext,
  type LaneEntry,
  type LaneEvent,
  type LaneInput,
  type Work,
} from './context.ts';
import { jobId, type Outcome } from './job.ts';
import type { NoteReason } from './notes.ts';
import { replyKind, type LaneReply } from './reply.ts';
import { mustAnswer, skipReason } from './rules.ts';

/** After this many attempts a notification is given up (design.md, Errors). */
export const MAX_ATTEMPTS = 5;
/** After this many runs without a word, the thread is told (contract, section 9). */
export const MAX_SILENT_ATTEMPTS = 3;
/** How long an agent may be unknown to the gateway before that is final: its roster may be on its way. */
export const UNKNOWN_AGENT_MS = 120_000;

const isGivenUp = (outcome: Outcome): boolean => outcome === 'parked' || outcome === 'unanswered';

/** This job has brought it to an end. (What an earlier process posted the journal knows: it counts from there.) */
const isDoneWith = ({ outcome, reply }: Work): boolean =>
  isGivenUp(outcome) || (reply !== null && (outcome === 'delivered' || outcome === 'silent'));

/** An action that changes what is known of the job in hand. */
const learn = <TParams extends object | undefined = undefined>(
  change: (work: Work, params: TParams) => Partial<Work>,
) =>
  assign<LaneContext, LaneEvent, TParams, LaneEvent, never>(({ context: { work } }, params) => ({
    work: { ...work, ...change(work, params) },
  }));

const afterRest = ({ rowFailures, stepFailures, retryInMs, reason, reopened }: Work): Work => ({
  ...freshWork,
  rowFailures,
  stepFailures,
  retryInMs,
  reason,
  reopened,
});

export const kindParams = ({ event }: { event: { error: unknown } }) => ({ kind: faultOf(event.error).kind });

export const laneSetup = setup({
  types: {} as { context: LaneContext; input: LaneInput; events: LaneEvent; tags: Tag },
  actors: laneActors,
  guards: {
    isBeat: (_, params: { kind: 'notification' | 'beat' }) => params.kind === 'beat',
    mayNotRun: ({ context }) => context.work.held || context.draining || context.slotless,
    excused: ({ context }) => context.work.excused,
    draining: ({ context }) => context.draining,
    rowGone: ({ context }) => context.work.delivery === null,
    alreadyDelivered: ({ context }) =>
      context.work.delivery?.notification.deliveredAt !== undefined &&
      !context.work.reopened &&
      !isOwed(context.work.delivery.notification, context.work.entry),
    /** Never run, and no longer where it was in the queue: what came before its newer message goes first. */
    movedInLine: ({ context }) =>
      context.work.entry.attempts === 0 &&
      context.work.entry.posts === 0 &&
      !isGivenUp(context.work.outcome) &&
      context.work.outcome !== 'silent' &&
      context.job?.kind === 'notification' &&
      context.work.delivery !== null &&
      hasMoved(context.work.delivery.notification, versionOf(context.job.row)),
    replyKept: ({ context }) => context.work.entry.reply !== null && !context.discardReply,
    answeredBefore: ({ context }) => context.work.entry.answered !== null && !context.discardReply,
    skippedByRule: ({ context }) =>
      context.work.delivery !== null && skipReason(context.work.delivery) !== null,
    attemptsSpent: ({ context }) => context.work.entry.attempts >= MAX_ATTEMPTS,
    rowFailedTooOften: ({ context }) => context.work.rowFailures + 1 >= MAX_ATTEMPTS,
    nothingToSay: ({ context }) =>
      context.work.reply !== null && replyKind(context.work.reply) === 'nothingToSay',
    noReply: ({ context }) => context.work.reply !== null && replyKind(context.work.reply) === 'noReply',
    answerDue: ({ context }) => context.work.delivery !== null && mustAnswer(context.work.delivery),
    silentAttemptsLeft: ({ context }) => context.work.entry.attempts < MAX_SILENT_ATTEMPTS,
    hasThread: ({ context }) => context.work.delivery?.task != null && context.work.delivery.agent !== null,
    hasTask: ({ context }) => context.job?.kind === 'notification' && context.job.row.taskId !== undefined,
    completes: ({ context }) => context.work.completes,
    hasReply: ({ context }) => context.work.outcome === 'delivered',
    mayHaveMoved: ({ context: { work } }) => work.delivery === null || !isAlone(work.delivery.notification),
    moved: ({ context }, params: { delivery: DeliveryContext | null }) =>
      params.delivery !== null &&
      context.work.version !== null &&
      hasMoved(params.delivery.notification, context.work.version),
    gone: (_, params: { delivery: DeliveryContext | null }) => params.delivery === null,
    completed: (_, params: { moved: DeliveryContext | null }) => params.moved === null,
    markedBefore: (_, params: { delivery: DeliveryContext | null }) =>
      params.delivery?.notification.deliveredAt !== undefined,
    newerMessage: (_, params: { delivery: DeliveryContext | null }) => params.delivery !== null,
    toldExcused: (_, params: { excused: boolean }) => params.excused,
    textTooLong: (_, params: { kind: FaultKind }) => params.kind === 'textTooLong',
    gatewayTrouble: (_, params: { kind: FaultKind }) => isGatewayTrouble(params.kind),
    aborted: (_, params: { kind: FaultKind }) => params.kind === 'aborted',
    agentUnknown: (_, params: { kind: FaultKind }) => params.kind === 'agentUnknown',
    agentUnknownTooLong: ({ context }, params: { kind: FaultKind }) =>
      params.kind === 'agentUnknown' && context.unknownForMs >= UNKNOWN_AGENT_MS,
    permanent: (_, params: { kind: FaultKind }) => params.kind === 'requestRejected',
    trial: ({ context }) => context.trial,
    /** The row is marked and will not be listed again: what this lane has been through with it is not in the journal. */
    onlyOursToKeep: ({ context }) => context.work.reopened && !context.draining,
    /** A run that failed, as against a run that never began. */
    attempt: (_, params: { kind: FaultKind }) => isAttempt(params.kind),
    /** Not this row's trouble: the step waits for whoever is away. */
    sideAway: (_, params: { kind: FaultKind }) =>
      ['backendUnavailable', 'backendRefused', 'journalUnavailable'].includes(params.kind),
  },
  delays: {
    sessionBackoff: ({ context }) => context.work.retryInMs,
    stepBackoff: ({ context }) => context.work.retryInMs,
  },
  actions: {
    takeJob: assign(({ context }, { job, trial, next }: Extract<LaneEvent, { type: 'lane.go' }>) => {
      const isSame = context.job !== null && jobId(context.job) === jobId(job);
      return {
        job,
        trial,
        next,
        slotless: false,
        // A job that comes back after a rest keeps what it has been through.
        work: isSame ? afterRest(context.work) : freshWork,
        // An older row may come in between while this one rests: what is known of a reply is not about that row.
        ...(context.job !== null && !isSame && { discardReply: false, unknownForMs: 0 }),
      };
    }),
    keepLoaded: learn(
      (_, loaded: { delivery: DeliveryContext | null; entry: LaneEntry; completes: boolean }) => ({
        ...loaded,
        version: loaded.delivery && versionOf(loaded.delivery.notification),
        stepFailures: 0,
      }),
    ),
    goPlainly: learn(() => ({ completes: false })),
    keepReply: assign(
      ({ context: { work } }, params: { reply: LaneReply; attempts: number; runMs: number }) => ({
        work: {
          ...work,
          reply: params.reply,
          runMs: params.runMs,
          entry: { ...work.entry, attempts: params.attempts },
        },
        failures: 0,
        unknownForMs: 0,
      }),
    ),
    useKeptReply: learn(({ entry: { reply }, version }) => ({ reply, version: reply?.version ?? version })),
    reopen: learn(() => ({ reopened: true })),
    /** It knows what the row was marked for, so the next look brings the row back at its new place. */
    leaveToJournal: learn(() => ({ reopened: false })),
    useAnsweredVersion: learn(({ entry, version }) => ({
      version: entry.answered ?? version,
      outcome: 'delivered',
    })),
    /** A newer message: its attempts count from the start where all is done with the older one. */
    startOver: assign(({ context: { work } }, { delivery }: { delivery: DeliveryContext | null }) => ({
      work: {
        ...work,
        entry: { ...work.entry, attempts: isDoneWith(work) ? 0 : work.entry.attempts },
        delivery,
        version: delivery && versionOf(delivery.notification),
        reply: null,
        note: null,
      },
      discardReply: true,
    })),
    forgetLastJob: assign({ job: null, work: freshWork, failures: 0, unknownForMs: 0, discardReply: false }),
    discardReply: assign({ discardReply: true }),
    countPost: learn(({ entry }) => ({ entry: { ...entry, posts: entry.posts + 1 }, stepFailures: 0 })),
    /** The backend gives back what has moved; the reply, if there was one, is in the thread. */
    countReply: learn(({ entry, outcome }) => ({
      entry: { ...entry, posts: entry.posts + (outcome === 'delivered' ? 1 : 0) },
      stepFailures: 0,
    })),
    keepFault: learn((_, { fault }: { fault: Fault }) => ({
      reason: fault.message,
      floorMs: fault.retryAfterMs,
    })),
    countAttempt: learn(({ entry }) => ({
      entry: { ...entry, attempts: entry.attempts + 1 },
      counted: true,
    })),
    countUnknown: assign(({ context }) => ({
      unknownForMs: context.unknownForMs + context.work.retryInMs,
    })),
    countRowFailure: learn(({ rowFailures }) => ({ rowFailures: rowFailures + 1 })),
    setOutcome: learn((_, params: { outcome: Outcome }) => params),
    setNote: learn((_, params: { note: NoteReason }) => params),
    giveUp: learn(({ note }) => ({ outcome: note === 'noReply' ? 'unanswered' : 'parked' })),
    nameSkip: learn(({ delivery }) => ({ outcome: 'skipped', reason: delivery && skipReason(delivery) })),
    hold: learn(({ excused }, params: { excused: boolean }) => ({
      held: true,
      excused: excused || params.excused,
    })),
    refundAttempt: learn(({ counted }) => ({ refund: counted })),
    drain: assign({ draining: true }),
    drawSession: assign(({ context }) => {
      const { work, session, random } = context;
      const failures = context.failures + 1;
      return {
        failures,
        work: { ...work, retryInMs: backoff(failures, session, random(), work.floorMs) },
      };
    }),
    drawStep: assign(({ context: { work, backend, random } }) => {
      const stepFailures = work.stepFailures + 1;
      const retryInMs = backoff(stepFailures, backend, random(), work.floorMs);
      return { work: { ...work, stepFailures, retryInMs } };
    }),
    reportSettled: enqueueActions(({ enqueue, context }) => {
      if (context.job === null) return;
      enqueue.sendTo(context.parent, {
        type: 'lane.settled',
        key: context.key,
        jobId: jobId(context.job),
        outcome: context.work.outcome,
        attempt: context.work.entry.attempts,
        runMs: context.work.runMs,
        reason: context.work.reason,
        note: context.work.note,
      });
    }),
    rest: enqueueActions(({ enqueue, context }) => {
      enqueue.assign({ slotless: true });
      enqueue.sendTo(context.parent, { type: 'lane.resting', key: context.key, reason: context.work.reason });
    }),
    reportReady: sendTo(
      ({ context }) => context.parent,
      ({ context }) => ({ type: 'lane.ready' as const, key: context.key }),
    ),
    reportRunSucceeded: sendTo(
      ({ context }) => context.parent,
      ({ context }) => ({ type: 'run.succeeded' as const, session: context.key }),
    ),
    reportRunFailed: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { fault: Fault }) => ({
        type: 'run.failed' as const,
        session: context.key,
        kind: params.fault.kind,
        reason: params.fault.message,
      }),
    ),
    reportUnknown: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { fault: Fault }) => ({
        type: 'agent.unknown' as const,
        session: context.key,
        reason: params.fault.message,
      }),
    ),
    reportGateway: sendTo(
      ({ context }) => context.parent,
      (_, params: { fault: Fault }) => ({
        type: 'gateway.suspected' as const,
        kind: params.fault.kind,
        reason: params.fault.message,
        retryAfterMs: params.fault.retryAfterMs,
      }),
    ),
  },
});
