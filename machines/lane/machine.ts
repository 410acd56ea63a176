import { and, not, type ActorRefFrom } from 'xstate';
import { faultParams } from '../shared/fault.ts';
import { freshWork, versionOf, type LaneContext } from './context.ts';
import { jobId, type Outcome } from './job.ts';
import { noteText } from './notes.ts';
import { fitMessage } from './reply.ts';
import { startsTask } from './rules.ts';
import { kindParams, laneSetup } from './setup.ts';

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
    ...input,
    work: freshWork,
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
          delivery: context.work.delivery,
          trial: context.trial,
          startsOver: context.discardReply && context.work.entry.attempts === 0,
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
          const isReply = context.work.outcome === 'delivered';
          return {
            row,
            version,
            withSource,
            content: isReply ? fitMessage(context.work.reply?.text ?? '') : null,
            startsTask: isReply && context.work.delivery !== null && startsTask(context.work.delivery),
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
          content: fitMessage(context.work.reply?.text ?? ''),
          startsTask: context.work.delivery !== null && startsTask(context.work.delivery),
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
          content: noteText(
            context.work.delivery?.agent?.name ?? 'The agent',
            context.work.note ?? 'attemptsSpent',
          ),
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
          version: context.work.delivery?.notification.type === 'thread_update' ? context.work.version : null,
          // Where no run may follow it is not read.
          next: context.work.held || context.draining || context.slotless ? null : context.next,
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
        input: ({ context }) => ({ notificationId: notificationId(context), refund: context.work.refund }),
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

function postTarget({ job, work: { version, entry, delivery } }: LaneContext) {
  const row = job?.kind === 'notification' ? job.row : null;
  return {
    row,
    version: version ?? (row && versionOf(row)),
    withSource: entry.posts === 0,
    after: delivery?.thread.at(-1)?.messageId ?? null,
  };
}

export type LaneActor = ActorRefFrom<typeof laneMachine>;
