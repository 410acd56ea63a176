/** What the words of the lane's chart mean: its guards, delays and actions. */
import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { backoff } from '../shared/backoff.ts';
import { faultOf, isAttempt, isGatewayTrouble, type Fault, type FaultKind } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import type { Tag } from '../shared/tags.ts';
import { laneActors } from './actors.ts';
import {
  freshJob,
  hasMoved,
  isAlone,
  isOwed,
  versionOf,
  type LaneContext,
  type LaneEntry,
  type LaneEvent,
  type LaneInput,
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
const isDoneWith = ({ outcome, reply }: LaneContext): boolean =>
  isGivenUp(outcome) || (reply !== null && (outcome === 'delivered' || outcome === 'silent'));

export const faultParams = ({ event }: { event: { error: unknown } }) => ({ fault: faultOf(event.error) });
export const kindParams = ({ event }: { event: { error: unknown } }) => ({ kind: faultOf(event.error).kind });

export const laneSetup = setup({
  types: {} as { context: LaneContext; input: LaneInput; events: LaneEvent; tags: Tag },
  actors: laneActors,
  guards: {
    isBeat: (_, params: { kind: 'notification' | 'beat' }) => params.kind === 'beat',
    mayNotRun: ({ context }) => context.held || context.draining || context.slotless,
    excused: ({ context }) => context.excused,
    draining: ({ context }) => context.draining,
    rowGone: ({ context }) => context.delivery === null,
    alreadyDelivered: ({ context }) =>
      context.delivery?.notification.deliveredAt !== undefined &&
      !context.reopened &&
      !isOwed(context.delivery.notification, context.entry),
    /** Never run, and no longer where it was in the queue: what came before its newer message goes first. */
    movedInLine: ({ context }) =>
      context.entry.attempts === 0 &&
      context.entry.posts === 0 &&
      !isGivenUp(context.outcome) &&
      context.outcome !== 'silent' &&
      context.job?.kind === 'notification' &&
      context.delivery !== null &&
      hasMoved(context.delivery.notification, versionOf(context.job.row)),
    replyKept: ({ context }) => context.entry.reply !== null && !context.discardReply,
    answeredBefore: ({ context }) => context.entry.answered !== null && !context.discardReply,
    skippedByRule: ({ context }) => context.delivery !== null && skipReason(context.delivery) !== null,
    attemptsSpent: ({ context }) => context.entry.attempts >= MAX_ATTEMPTS,
    rowFailedTooOften: ({ context }) => context.rowFailures + 1 >= MAX_ATTEMPTS,
    nothingToSay: ({ context }) => context.reply !== null && replyKind(context.reply) === 'nothingToSay',
    noReply: ({ context }) => context.reply !== null && replyKind(context.reply) === 'noReply',
    answerDue: ({ context }) => context.delivery !== null && mustAnswer(context.delivery),
    silentAttemptsLeft: ({ context }) => context.entry.attempts < MAX_SILENT_ATTEMPTS,
    hasThread: ({ context }) => context.delivery?.task != null && context.delivery.agent !== null,
    hasTask: ({ context }) => context.job?.kind === 'notification' && context.job.row.taskId !== undefined,
    completes: ({ context }) => context.completes,
    hasReply: ({ context }) => context.outcome === 'delivered',
    mayHaveMoved: ({ context }) => !isAlone(context.delivery),
    moved: ({ context }, params: { delivery: DeliveryContext | null }) =>
      params.delivery !== null &&
      context.version !== null &&
      hasMoved(params.delivery.notification, context.version),
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
    onlyOursToKeep: ({ context }) => context.reopened && !context.draining,
    /** A run that failed, as against a run that never began. */
    attempt: (_, params: { kind: FaultKind }) => isAttempt(params.kind),
    /** Not this row's trouble: the step waits for whoever is away. */
    sideAway: (_, params: { kind: FaultKind }) =>
      ['backendUnavailable', 'backendRefused', 'journalUnavailable'].includes(params.kind),
  },
  delays: {
    sessionBackoff: ({ context }) => context.retryInMs,
    stepBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    takeJob: assign(({ context }, params: Extract<LaneEvent, { type: 'lane.go' }>) => ({
      ...freshJob,
      job: params.job,
      trial: params.trial,
      next: params.next,
      slotless: false,
      // A job that comes back after a rest keeps what it has been through.
      ...(context.job !== null &&
        jobId(context.job) === jobId(params.job) && {
          rowFailures: context.rowFailures,
          stepFailures: context.stepFailures,
          retryInMs: context.retryInMs,
          reason: context.reason,
          reopened: context.reopened,
        }),
      // An older row may come in between while this one rests: what is known of a reply is not about that row.
      ...(context.job !== null &&
        jobId(context.job) !== jobId(params.job) && { discardReply: false, unknownForMs: 0 }),
    })),
    keepLoaded: assign(
      (_, params: { delivery: DeliveryContext | null; entry: LaneEntry; completes: boolean }) => ({
        ...params,
        version: params.delivery && versionOf(params.delivery.notification),
        stepFailures: 0,
      }),
    ),
    goPlainly: assign({ completes: false }),
    keepReply: assign(({ context }, params: { reply: LaneReply; attempts: number; runMs: number }) => ({
      reply: params.reply,
      runMs: params.runMs,
      failures: 0,
      unknownForMs: 0,
      entry: { ...context.entry, attempts: params.attempts },
    })),
    useKeptReply: assign(({ context }) => ({
      reply: context.entry.reply,
      version: context.entry.reply?.version ?? context.version,
    })),
    reopen: assign({ reopened: true }),
    /** It knows what the row was marked for, so the next look brings the row back at its new place. */
    leaveToJournal: assign({ reopened: false }),
    useAnsweredVersion: assign(({ context }) => ({
      version: context.entry.answered ?? context.version,
      outcome: 'delivered' as const,
    })),
    /** A newer message: its attempts count from the start where all is done with the older one. */
    startOver: assign(({ context }, params: { delivery: DeliveryContext | null }) => ({
      entry: { ...context.entry, attempts: isDoneWith(context) ? 0 : context.entry.attempts },
      delivery: params.delivery,
      version: params.delivery && versionOf(params.delivery.notification),
      reply: null,
      note: null,
      discardReply: true,
    })),
    forgetLastJob: assign({ job: null, failures: 0, unknownForMs: 0, discardReply: false }),
    discardReply: assign({ discardReply: true }),
    countPost: assign(({ context }) => ({
      entry: { ...context.entry, posts: context.entry.posts + 1 },
      stepFailures: 0,
    })),
    /** The backend gives back what has moved; the reply, if there was one, is in the thread. */
    countReply: assign(({ context }) => ({
      entry: { ...context.entry, posts: context.entry.posts + (context.outcome === 'delivered' ? 1 : 0) },
      stepFailures: 0,
    })),
    keepFault: assign((_, params: { fault: Fault }) => ({
      reason: params.fault.message,
      floorMs: params.fault.retryAfterMs,
    })),
    countAttempt: assign(({ context }) => ({
      entry: { ...context.entry, attempts: context.entry.attempts + 1 },
      counted: true,
    })),
    countUnknown: assign(({ context }) => ({ unknownForMs: context.unknownForMs + context.retryInMs })),
    countRowFailure: assign(({ context }) => ({ rowFailures: context.rowFailures + 1 })),
    setOutcome: assign((_, params: { outcome: Outcome }) => ({ outcome: params.outcome })),
    setNote: assign((_, params: { note: NoteReason }) => ({ note: params.note })),
    giveUp: assign(({ context }) => ({ outcome: context.note === 'noReply' ? 'unanswered' : 'parked' })),
    nameSkip: assign(({ context }) => ({
      outcome: 'skipped' as const,
      reason: context.delivery && skipReason(context.delivery),
    })),
    hold: assign(({ context }, params: { excused: boolean }) => ({
      held: true,
      excused: context.excused || params.excused,
    })),
    refundAttempt: assign(({ context }) => ({ refund: context.counted })),
    drain: assign({ draining: true }),
    drawSession: assign(({ context }) => {
      const failures = context.failures + 1;
      return { failures, retryInMs: backoff(failures, context.session, context.random(), context.floorMs) };
    }),
    drawStep: assign(({ context }) => {
      const stepFailures = context.stepFailures + 1;
      return {
        stepFailures,
        retryInMs: backoff(stepFailures, context.backend, context.random(), context.floorMs),
      };
    }),
    reportSettled: enqueueActions(({ enqueue, context }) => {
      if (context.job === null) return;
      enqueue.sendTo(context.parent, {
        type: 'lane.settled',
        key: context.key,
        jobId: jobId(context.job),
        outcome: context.outcome,
        attempt: context.entry.attempts,
        runMs: context.runMs,
        reason: context.reason,
        note: context.note,
      });
    }),
    rest: enqueueActions(({ enqueue, context }) => {
      enqueue.assign({ slotless: true });
      enqueue.sendTo(context.parent, { type: 'lane.resting', key: context.key, reason: context.reason });
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
