import { and, not } from 'xstate';
import { roundEnded } from '../shared/child.ts';
import { listening } from '../shared/listening.ts';
import { step } from '../shared/step.ts';
import type { ContextRead } from './actors.ts';
import { answering } from './answering.ts';
import { freshContext, type Outcome } from './context.ts';
import { attemptNumber } from './entry.ts';
import { giveUp } from './giving-up.ts';
import { pacing } from './pacing.ts';
import { whoIn, writeAhead, type Here } from './parts.ts';
import { runFailed } from './run-failures.ts';
import { notificationSetup } from './setup.ts';
import { FUNCTION, keepFault, passed, stepFailed } from './step-failures.ts';
import { acting } from './tool-calls.ts';

const outcome = (name: Outcome) => ({ type: 'setOutcome', params: { outcome: name } }) as const;
const blameGateway = {
  type: 'blameGateway',
  params: ({ event }: { event: { ailing: boolean } }) => event,
} as const;
/** The gateway is to blame for the last run. The chart decides again, because the next run may have to go alone or not at all. */
const excusedInQueue = {
  guard: 'counted',
  target: '#notification.queueing.stale',
  actions: [blameGateway, 'askForSlot'],
} as const;

/** A context that came with the list takes the place of the first read only. */
const readInput = ({ context }: Here) => ({
  id: context.row._id,
  given: context.delivery === null ? context.input.given : null,
});

const leave = { target: '#notification.handingBack', actions: 'leave' } as const;

export const notificationMachine = notificationSetup.createMachine({
  id: 'notification',
  description: 'One notification, from the head of its session to its end.',
  context: ({ input }) => freshContext(input),
  output: ({ context }) => ({
    kind: 'notification',
    session: context.input.session,
    title: whoIn(context).title,
    id: context.row._id,
    thread: context.thread,
    ...context.result,
    attempts: attemptNumber(context.entry),
  }),
  initial: 'reading',
  on: {
    'work.leave': { actions: 'leave' },
    'work.abort': { target: '.handingBack', actions: 'excuseOpenRun' },
    'gateway.excused': { actions: blameGateway },
    'agent.available': { guard: 'failing', actions: 'reportFailing' },
    'functions.troubled': { actions: { type: 'noteTroubled', params: ({ event }) => event } },
  },
  states: {
    reading: {
      on: { 'work.leave': leave },
      ...step(
        'Reads the delivery context.',
        {
          src: 'readContext',
          input: readInput,
          onDone: {
            target: '#notification.deciding',
            actions: [
              passed(FUNCTION.read),
              {
                type: 'keepContext',
                params: ({ event }: { event: { output: ContextRead } }) => event.output,
              },
            ],
          },
          onError: stepFailed(FUNCTION.read, {
            target: '#notification.parking',
            actions: [keepFault, giveUp('unreadable')] as const,
          }),
        },
        'read',
      ),
    },
    deciding: {
      description: 'The rules: skip it, run it, go on where an earlier process stopped, or give it up.',
      tags: ['busy'],
      always: [
        { guard: 'gone', target: 'done', actions: outcome('gone') },
        { guard: 'alreadyMarked', target: 'answering.marking', actions: outcome('already') },
        {
          guard: and(['givenUpBefore', 'answeredAlready']),
          target: 'answering.marking',
          actions: 'giveUpAgain',
        },
        { guard: 'givenUpBefore', target: 'parking', actions: 'giveUpAgain' },
        { guard: 'replyKept', target: 'judging', actions: 'useKeptReply' },
        { guard: 'answeredAlready', target: 'answering.marking', actions: outcome('delivered') },
        { guard: 'skippedByRule', target: 'answering.marking', actions: 'nameSkip' },
        { guard: 'chatters', target: 'parking', actions: giveUp('chatter') },
        { guard: 'attemptsSpent', target: 'parking', actions: giveUp('attemptsSpent') },
        { guard: 'tookGatewayDown', target: 'parking', actions: giveUp('gatewayDied') },
        { guard: 'movedInQueue', target: 'handingBack' },
        { guard: 'leaving', target: 'handingBack' },
        { target: 'queueing' },
      ],
    },
    queueing: {
      description: 'Ready to run. Waits for a slot, which delivery gives to the oldest.',
      on: { 'work.leave': leave },
      initial: 'arriving',
      states: {
        arriving: {
          description: 'Do agents only answer each other here?',
          always: [{ guard: 'mustPace', target: 'pacing' }, { target: 'fresh' }],
        },
        pacing,
        fresh: {
          description: 'The context was read a moment ago.',
          entry: 'askForSlot',
          after: { freshness: 'stale' },
          on: {
            'gateway.excused': excusedInQueue,
            'slot.granted': [
              {
                guard: 'isActing',
                target: '#notification.working.acting',
                actions: [{ type: 'takeSlot', params: ({ event }) => event }, 'begin'],
              },
              {
                target: '#notification.working.running',
                actions: [{ type: 'takeSlot', params: ({ event }) => event }, 'begin'],
              },
            ],
          },
        },
        stale: {
          description: 'The context is to be read again before the run.',
          on: {
            'gateway.excused': excusedInQueue,
            'slot.granted': {
              target: '#notification.working.refreshing',
              actions: { type: 'takeSlot', params: ({ event }) => event },
            },
          },
        },
      },
    },
    working: {
      description: 'The agent works. A run under way is finished even when the gate closes behind it.',
      initial: 'running',
      exit: 'returnSlot',
      states: {
        refreshing: {
          description: 'Reads the context again: it waited long for its slot.',
          tags: ['busy'],
          invoke: {
            src: 'readContext',
            input: ({ context }) => ({ id: context.row._id, given: null }),
            onDone: [
              // Where no call is open, `acting` goes on to `running` at once.
              {
                guard: { type: 'sameRun', params: ({ event }) => event.output },
                target: 'acting',
                actions: [{ type: 'keepContext', params: ({ event }) => event.output }, 'begin'],
              },
              {
                target: '#notification.deciding',
                actions: { type: 'keepContext', params: ({ event }) => event.output },
              },
            ],
            onError: { target: '#notification.reading.resting', actions: keepFault },
          },
        },
        running: {
          description: 'A round is open on the gateway.',
          tags: ['busy'],
          ...listening,
          invoke: {
            src: 'runAgent',
            input: ({ context, self }) => ({
              ...writeAhead({ context }),
              signs: self,
              delivery: context.delivery,
              typing: context.backend.typing,
              ranMs: context.result.runMs ?? 0,
            }),
            onDone: [
              {
                guard: { type: 'mayAct', params: ({ event }) => event.output },
                target: 'acting',
                actions: [{ type: 'keepCalls', params: ({ event }) => event.output }, ...roundEnded],
              },
              {
                target: '#notification.judging',
                actions: [{ type: 'keepReply', params: ({ event }) => event.output }, ...roundEnded],
              },
            ],
            onError: runFailed,
          },
        },
        acting,
        resting: {
          description: 'Waits with backoff before it runs again. Its slot is free for others.',
          tags: ['degraded'],
          entry: ['drawRun', { type: 'reportRest', params: { before: 'run' } }],
          always: { guard: 'leaving', target: '#notification.handingBack' },
          invoke: {
            src: 'endTyping',
            input: writeAhead,
            // Only the typing indicator stays on, and the next run switches it on anyway.
            onError: 'resting',
          },
          on: {
            'work.leave': leave,
            'gateway.excused': {
              guard: 'counted',
              target: 'resting',
              reenter: true,
              actions: blameGateway,
            },
            'backend.available': { guard: 'waitsForBackend', target: '#notification.reading' },
            'gateway.available': { guard: 'waitsForGateway', target: '#notification.reading' },
            'agent.available': {
              guard: 'waitsForAgent',
              target: '#notification.reading',
              actions: 'reportFailing',
            },
            'journal.available': { guard: 'waitsForJournal', target: '#notification.reading' },
          },
          after: { runBackoff: '#notification.reading' },
        },
      },
    },
    judging: {
      description: 'What does the reply amount to?',
      tags: ['busy'],
      always: [
        { guard: 'saysNothing', target: 'answering', actions: outcome('silent') },
        {
          guard: and(['noReply', 'answerDue', 'silentAttemptsLeft']),
          target: 'working.resting',
          actions: 'discardReply',
        },
        { guard: and(['noReply', 'answerDue', 'hasThread']), target: 'parking', actions: giveUp('noReply') },
        { guard: 'noReply', target: 'answering', actions: outcome('silent') },
        {
          guard: 'threadGone',
          target: 'answering.burying',
          actions: giveUp('postFailed'),
        },
        { guard: not('hasThread'), target: 'answering', actions: outcome('silent') },
        { target: 'answering', actions: outcome('delivered') },
      ],
    },
    answering,
    parking: {
      description: 'Gives the notification up: one short note in the thread, in the words of its users.',
      tags: ['attention'],
      always: [{ guard: 'noteDue', target: 'answering' }, { target: 'answering.marking' }],
    },
    handingBack: {
      description: 'Leaves the row undelivered: the list will show it again, or the journal if it is marked.',
      tags: ['busy'],
      entry: outcome('handedBack'),
      invoke: {
        src: 'handBack',
        input: writeAhead,
        onDone: 'done',
        // Only the typing indicator stays on: the row is still undelivered, or owed by the journal.
        onError: 'done',
      },
    },
    done: { description: 'Delivery hears how it ended.', type: 'final' },
  },
});
