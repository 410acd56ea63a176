import { and, assign, enqueueActions, not, sendTo, setup, type ActorRefFrom } from 'xstate';
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
import { noteText, type NoteReason } from './notes.ts';
import { fitMessage, replyKind, type LaneReply } from './reply.ts';
import { mustAnswer, skipReason, startsTask } from './rules.ts';

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

const faultParams = ({ event }: { event: { error: unknown } }) => ({ fault: faultOf(event.error) });
const kindParams = ({ event }: { event: { error: unknown } }) => ({ kind: faultOf(event.error).kind });

const laneSetup = setup({
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

const keepFault = { type: 'keepFault', params: faultParams } as const;
const reportRunFailed = { type: 'reportRunFailed', params: faultParams } as const;
const outcome = (name: Outcome) => ({ type: 'setOutcome', params: { outcome: name } }) as const;

const notificationId = (context: LaneContext): string => (context.job === null ? '' : jobId(context.job));

/** Convex failed at one step: away means only this step waits; a failure of the function is the row's own. */
const stepFailed = <TRetry extends string, TGiveUp extends string>(retry: TRetry, giveUp: TGiveUp) =>
  [
    { guard: { type: 'sideAway', params: kindParams }, target: retry, actions: keepFault },
    { guard: 'rowFailedTooOften', target: giveUp, actions: keepFault },
    { target: retry, actions: [keepFault, 'countRowFailure'] },
  ] as const;

export const laneMachine = laneSetup.createMachine({
  id: 'lane',
  description: 'One session: its notifications and heartbeats, one at a time.',
  context: ({ input }) => ({
    ...freshJob,
    ...input,
    job: null,
    trial: false,
    next: null,
    slotless: false,
    discardReply: false,
    draining: false,
    failures: 0,
    unknownForMs: 0,
  }),
  initial: 'waiting',
  on: {
    'lane.hold': { actions: { type: 'hold', params: ({ event }) => event } },
    'lane.drain': { actions: 'drain' },
  },
  states: {
    waiting: {
      description: 'In line for a slot; delivery says when.',
      on: {
        'lane.go': [
          {
            guard: { type: 'isBeat', params: ({ event }) => event.job },
            target: 'beating',
            actions: { type: 'takeJob', params: ({ event }) => event },
          },
          { target: 'loading', actions: { type: 'takeJob', params: ({ event }) => event } },
        ],
      },
    },
    loading: {
      description: 'Reads the delivery context, and what an earlier process did for this row.',
      tags: ['busy'],
      on: {
        'lane.hold': { target: 'releasing', actions: { type: 'hold', params: ({ event }) => event } },
        'lane.drain': { target: 'releasing', actions: 'drain' },
        'lane.abort': 'releasing',
      },
      invoke: {
        src: 'loadJob',
        input: ({ context }) => ({ notificationId: notificationId(context) }),
        onDone: { target: 'deciding', actions: { type: 'keepLoaded', params: ({ event }) => event.output } },
        onError: stepFailed('retryingLoad', 'parking'),
      },
    },
    deciding: {
      description:
        'The rules of the contract: run, skip, go on where an earlier process stopped, or give up.',
      tags: ['busy'],
      always: [
        { guard: 'rowGone', target: 'settled', actions: outcome('left') },
        { guard: 'alreadyDelivered', target: 'marking', actions: outcome('already') },
        { guard: 'replyKept', target: 'judging', actions: 'useKeptReply' },
        { guard: 'answeredBefore', target: 'checking', actions: 'useAnsweredVersion' },
        { guard: 'skippedByRule', target: 'marking', actions: 'nameSkip' },
        {
          guard: 'attemptsSpent',
          target: 'parking',
          actions: { type: 'setNote', params: { note: 'attemptsSpent' } },
        },
        { guard: 'movedInLine', target: 'releasing', actions: 'leaveToJournal' },
        { guard: 'mayNotRun', target: 'releasing' },
        { target: 'running' },
      ],
    },
    running: {
      description: 'The agent works. A run under way is finished even when the gate closes behind it.',
      tags: ['busy'],
      on: { 'lane.abort': 'releasing' },
      invoke: {
        src: 'runAgent',
        input: ({ context }) => ({
          delivery: context.delivery,
          trial: context.trial,
          startsOver: context.discardReply && context.entry.attempts === 0,
        }),
        onDone: {
          target: 'judging',
          actions: [{ type: 'keepReply', params: ({ event }) => event.output }, 'reportRunSucceeded'],
        },
        onError: [
          {
            guard: { type: 'gatewayTrouble', params: kindParams },
            target: 'releasing',
            actions: [keepFault, { type: 'reportGateway', params: faultParams }],
          },
          { guard: { type: 'aborted', params: kindParams }, target: 'releasing', actions: keepFault },
          {
            guard: { type: 'agentUnknownTooLong', params: kindParams },
            target: 'parking',
            actions: [keepFault, { type: 'setNote', params: { note: 'agentUnknown' } }],
          },
          {
            guard: { type: 'permanent', params: kindParams },
            target: 'parking',
            actions: [keepFault, { type: 'setNote', params: { note: 'requestRejected' } }],
          },
          { guard: 'trial', target: 'releasing', actions: [keepFault, reportRunFailed] },
          {
            guard: { type: 'agentUnknown', params: kindParams },
            target: 'failed',
            actions: [keepFault, 'countUnknown', { type: 'reportUnknown', params: faultParams }],
          },
          {
            guard: { type: 'attempt', params: kindParams },
            target: 'failed',
            actions: [keepFault, 'countAttempt', reportRunFailed],
          },
          { target: 'failed', actions: keepFault },
        ],
      },
    },
    failed: {
      description: 'A run has failed: try again later, or give the notification up.',
      tags: ['busy'],
      always: [
        { guard: 'excused', target: 'releasing', actions: 'refundAttempt' },
        {
          guard: 'attemptsSpent',
          target: 'parking',
          actions: { type: 'setNote', params: { note: 'attemptsSpent' } },
        },
        { guard: 'draining', target: 'releasing' },
        { target: 'retrying' },
      ],
    },
    judging: {
      description: 'What does the reply amount to?',
      tags: ['busy'],
      always: [
        { guard: 'nothingToSay', target: 'finishing', actions: outcome('silent') },
        {
          guard: and(['noReply', 'answerDue', 'silentAttemptsLeft', 'draining']),
          target: 'releasing',
          actions: 'discardReply',
        },
        {
          guard: and(['noReply', 'answerDue', 'silentAttemptsLeft']),
          target: 'retrying',
          actions: 'discardReply',
        },
        {
          guard: and(['noReply', 'answerDue', 'hasThread']),
          target: 'parking',
          actions: { type: 'setNote', params: { note: 'noReply' } },
        },
        { guard: 'noReply', target: 'finishing', actions: outcome('silent') },
        { guard: not('hasThread'), target: 'finishing', actions: outcome('silent') },
        { target: 'finishing', actions: outcome('delivered') },
      ],
    },
    finishing: {
      description: 'In one call where the backend offers it, else step by step.',
      tags: ['busy'],
      always: [
        { guard: 'completes', target: 'completing' },
        { guard: 'hasReply', target: 'posting' },
        { guard: 'mayHaveMoved', target: 'checking' },
        { target: 'marking' },
      ],
    },
    completing: {
      description:
        'Posts the reply, looks whether the row has moved, marks it: one transaction of the backend.',
      tags: ['busy'],
      on: { 'lane.abort': 'releasing' },
      invoke: {
        src: 'completeDelivery',
        input: ({ context }) => {
          const { row, version, withSource } = postTarget(context);
          const isReply = context.outcome === 'delivered';
          return {
            row,
            version,
            withSource,
            content: isReply ? fitMessage(context.reply?.text ?? '') : null,
            startsTask: isReply && context.delivery !== null && startsTask(context.delivery),
          };
        },
        onDone: [
          {
            guard: { type: 'completed', params: ({ event }) => ({ moved: event.output }) },
            target: 'settled',
          },
          {
            guard: { type: 'markedBefore', params: ({ event }) => ({ delivery: event.output }) },
            target: 'deciding',
            actions: [
              'countReply',
              { type: 'startOver', params: ({ event }) => ({ delivery: event.output }) },
              'reopen',
            ],
          },
          {
            target: 'deciding',
            actions: [
              'countReply',
              { type: 'startOver', params: ({ event }) => ({ delivery: event.output }) },
            ],
          },
        ],
        onError: [
          {
            guard: { type: 'textTooLong', params: kindParams },
            target: 'parking',
            actions: [keepFault, { type: 'setNote', params: { note: 'textTooLong' } }],
          },
          {
            guard: { type: 'sideAway', params: kindParams },
            target: 'retryingComplete',
            actions: keepFault,
          },
          // It failed as a whole, or is not there any more: the contract's own steps do the same.
          { target: 'finishing', actions: [keepFault, 'goPlainly'] },
        ],
      },
    },
    posting: {
      description: 'Writes the reply into the thread. From here on the run is never repeated.',
      tags: ['busy'],
      on: { 'lane.abort': 'releasing' },
      invoke: {
        src: 'postMessage',
        input: ({ context }) => ({
          ...postTarget(context),
          content: fitMessage(context.reply?.text ?? ''),
          startsTask: context.delivery !== null && startsTask(context.delivery),
          quiet: false,
        }),
        onDone: [
          { guard: 'mayHaveMoved', target: 'checking', actions: 'countPost' },
          { target: 'marking', actions: 'countPost' },
        ],
        onError: [
          {
            guard: { type: 'textTooLong', params: kindParams },
            target: 'parking',
            actions: [keepFault, { type: 'setNote', params: { note: 'textTooLong' } }],
          },
          ...stepFailed('retryingPost', 'parking'),
        ],
      },
    },
    checking: {
      description: 'Reads the row again: a newer message may have been coalesced into it during the run.',
      tags: ['busy'],
      on: { 'lane.abort': 'releasing' },
      invoke: {
        src: 'rereadRow',
        input: ({ context }) => ({ notificationId: notificationId(context) }),
        onDone: [
          { guard: { type: 'gone', params: ({ event }) => ({ delivery: event.output }) }, target: 'marking' },
          {
            guard: { type: 'moved', params: ({ event }) => ({ delivery: event.output }) },
            target: 'deciding',
            actions: { type: 'startOver', params: ({ event }) => ({ delivery: event.output }) },
          },
          { target: 'marking' },
        ],
        onError: stepFailed('retryingCheck', 'marking'),
      },
    },
    parking: {
      description: 'Gives the notification up: one short note in the thread, in the words of its users.',
      tags: ['busy', 'attention'],
      on: { 'lane.abort': 'releasing' },
      entry: 'giveUp',
      always: { guard: not('hasTask'), target: 'marking' },
      invoke: {
        src: 'postMessage',
        input: ({ context }) => ({
          ...postTarget(context),
          content: noteText(context.delivery?.agent?.name ?? 'The agent', context.note ?? 'attemptsSpent'),
          startsTask: false,
          quiet: true,
        }),
        onDone: { target: 'marking', actions: 'countPost' },
        onError: [
          { guard: { type: 'sideAway', params: kindParams }, target: 'retryingPark', actions: keepFault },
          // The note is a courtesy; the mark is what ends the matter.
          { target: 'marking' },
        ],
      },
    },
    marking: {
      description: 'Marks the row delivered: the last word on it.',
      tags: ['busy'],
      on: { 'lane.abort': 'releasing' },
      invoke: {
        src: 'markDelivered',
        input: ({ context }) => ({
          notificationId: notificationId(context),
          version: context.delivery?.notification.type === 'thread_update' ? context.version : null,
          // Where no run may follow it is not read.
          next: context.held || context.draining || context.slotless ? null : context.next,
        }),
        onDone: [
          {
            guard: { type: 'newerMessage', params: ({ event }) => ({ delivery: event.output ?? null }) },
            target: 'deciding',
            actions: [{ type: 'startOver', params: ({ event }) => ({ delivery: event.output }) }, 'reopen'],
          },
          { target: 'settled' },
        ],
        onError: stepFailed('retryingMark', 'stuck'),
      },
    },
    retrying: {
      description: 'Rests after a failed run, with backoff; the slot is free for others.',
      tags: ['degraded'],
      entry: ['drawSession', 'rest'],
      always: { guard: 'draining', target: 'releasing' },
      on: {
        'lane.hold': [
          {
            guard: { type: 'toldExcused', params: ({ event }) => event },
            target: 'releasing',
            actions: [{ type: 'hold', params: ({ event }) => event }, 'refundAttempt'],
          },
          { actions: { type: 'hold', params: ({ event }) => event } },
        ],
        'lane.drain': { target: 'releasing', actions: 'drain' },
        'lane.abort': 'releasing',
      },
      after: { sessionBackoff: { target: 'waiting', actions: 'reportReady' } },
    },
    retryingLoad: {
      description: 'Convex did not give the context: rests, then asks again.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: {
        'lane.drain': { target: 'settled', actions: ['drain', outcome('released')] },
        'lane.abort': { target: 'settled', actions: outcome('released') },
        'backend.available': { target: 'waiting', actions: 'reportReady' },
      },
      after: { stepBackoff: { target: 'waiting', actions: 'reportReady' } },
    },
    retryingPost: {
      description: 'Convex did not take the reply: rests, then posts again. The reply is in the journal.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: { 'lane.abort': 'releasing', 'backend.available': 'posting' },
      after: { stepBackoff: 'posting' },
    },
    retryingComplete: {
      description: 'Convex did not answer: rests, then asks for the same again. The reply is in the journal.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: { 'lane.abort': 'releasing', 'backend.available': 'completing' },
      after: { stepBackoff: 'completing' },
    },
    retryingCheck: {
      description: 'Convex did not show the row: rests, then reads again.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: { 'lane.abort': 'releasing', 'backend.available': 'checking' },
      after: { stepBackoff: 'checking' },
    },
    retryingPark: {
      description: 'Convex did not take the note: rests, then posts it again.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: { 'lane.abort': 'releasing', 'backend.available': 'parking' },
      after: { stepBackoff: 'parking' },
    },
    retryingMark: {
      description: 'Convex did not take the mark: rests, then marks again. Nothing is run or posted for it.',
      tags: ['degraded'],
      entry: ['drawStep', 'rest'],
      on: { 'lane.abort': 'releasing', 'backend.available': 'marking' },
      after: { stepBackoff: 'marking' },
    },
    stuck: {
      description:
        'The row cannot even be marked: it is left alone for a long while, so that it holds up nobody.',
      tags: ['attention'],
      entry: outcome('stuck'),
      always: 'settled',
    },
    releasing: {
      description:
        'Hands the row back: the typing indicator ends, the row will be listed again; one that is marked, by the journal.',
      tags: ['busy'],
      entry: outcome('released'),
      always: { guard: 'onlyOursToKeep', target: 'retrying' },
      invoke: {
        src: 'handBack',
        input: ({ context }) => ({ notificationId: notificationId(context), refund: context.refund }),
        onDone: 'settled',
        // Only the typing indicator is lost: the row is still undelivered, or owed by the journal.
        onError: 'settled',
      },
    },
    settled: {
      description: 'Tells delivery how the job ended.',
      entry: ['reportSettled', 'forgetLastJob'],
      always: 'waiting',
    },
    beating: {
      description: 'One heartbeat of the agent, on its system session.',
      tags: ['busy'],
      on: { 'lane.abort': { target: 'settled', actions: outcome('beatFailed') } },
      invoke: {
        src: 'beat',
        input: ({ context }) => ({ job: context.job }),
        onDone: { target: 'settled', actions: [outcome('beaten'), 'reportRunSucceeded'] },
        onError: [
          {
            guard: { type: 'gatewayTrouble', params: kindParams },
            target: 'settled',
            actions: [keepFault, outcome('beatFailed'), { type: 'reportGateway', params: faultParams }],
          },
          {
            guard: { type: 'attempt', params: kindParams },
            target: 'settled',
            actions: [keepFault, outcome('beatFailed'), reportRunFailed],
          },
          { target: 'settled', actions: [keepFault, outcome('beatFailed')] },
        ],
      },
    },
  },
});

function postTarget({ job, version, entry, delivery }: LaneContext) {
  const row = job?.kind === 'notification' ? job.row : null;
  return {
    row,
    version: version ?? (row && versionOf(row)),
    withSource: entry.posts === 0,
    after: delivery?.thread.at(-1)?.messageId ?? null,
  };
}

export type LaneActor = ActorRefFrom<typeof laneMachine>;
