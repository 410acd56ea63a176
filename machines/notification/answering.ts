/**
 * The part of the chart after the run: from the reply, or the note, to the mark. Nothing here runs the agent again for the
 * same message. A newer one that is found in the row goes back to deciding, which may mean a run.
 */
import { faultParams } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import { postOnce } from '../shared/post-once.ts';
import { step } from '../shared/step.ts';
import type { Message, WriteAhead } from './actors.ts';
import { answeredVersion, mayHaveMoved, type NotificationContext } from './context.ts';
import { noteText } from './notes.ts';
import { whoIn } from './parts.ts';
import { messageText } from './reply.ts';
import { startsTask } from './rules.ts';
import { notificationSetup } from './setup.ts';

interface Here {
  context: NotificationContext;
}

interface RowRead {
  event: { output: DeliveryContext | null };
}

const keepFault = { type: 'keepFault', params: faultParams } as const;
export const rereadParams = ({ event }: RowRead) => ({ delivery: event.output });
const moveOn = { type: 'moveOn', params: rereadParams } as const;

/** The functions of Convex behind the steps. */
export const FUNCTION = {
  read: 'getNotificationForDelivery',
  post: 'createMessageFromAgent',
  look: 'loadTaskDetailsForAgentTool',
  mark: 'markNotificationDelivered',
  complete: 'completeDelivery',
} as const;

type FunctionName = (typeof FUNCTION)[keyof typeof FUNCTION];

const report = <const TType extends string>(type: TType, name: FunctionName) =>
  ({
    type,
    params: ({ event }: { event: { error: unknown } }) => ({ ...faultParams({ event }), name }),
  }) as const;

export const passed = (name: FunctionName) => ({ type: 'reportFunctionPassed', params: { name } }) as const;

/** Convex is away as a whole, or for this function alone. Or the journal is. */
const away = (name: FunctionName) =>
  [
    {
      guard: { type: 'backendAway', params: faultParams },
      target: 'resting',
      actions: [keepFault, report('reportFunctionAway', name)],
    },
    { guard: { type: 'journalAway', params: faultParams }, target: 'resting', actions: keepFault },
  ] as const;

/** Not this row's failure: Convex is away, or the function fails for different rows alike. The step waits. */
const sharedTrouble = (name: FunctionName) =>
  [
    ...away(name),
    {
      guard: { type: 'functionTroubled', params: { name } },
      target: 'resting',
      actions: [keepFault, report('reportFunctionFailed', name)],
    },
  ] as const;

const ownFailure = (name: FunctionName) =>
  ({
    target: 'resting',
    actions: [keepFault, 'countRowFailure', report('reportFunctionFailed', name)],
  }) as const;

/** A call of a step failed. A function that fails for this row alone is the row's own trouble: it gives up in the end. */
export const stepFailed = <const TGiveUp extends object>(name: FunctionName, giveUp: TGiveUp) =>
  [
    ...sharedTrouble(name),
    { guard: 'rowFailedTooOften', actions: keepFault, ...giveUp },
    ownFailure(name),
  ] as const;

const giveUp = { type: 'giveUp', params: { note: 'textTooLong' } } as const;

/** What a failed post leads to. A note is a courtesy: the mark is what ends the matter. A reply is never dropped. */
const postFailed = (name: FunctionName) =>
  [
    ...sharedTrouble(name),
    { guard: 'givenUp', target: '#notification.answering.marking', actions: keepFault },
    {
      guard: { type: 'textTooLong', params: faultParams },
      target: '#notification.answering.burying',
      actions: [keepFault, giveUp],
    },
    {
      guard: 'rowFailedTooOften',
      target: '#notification.answering.burying',
      actions: [keepFault, { type: 'giveUp', params: { note: 'postFailed' } }],
    },
    ownFailure(name),
  ] as const;

const isPosted = [
  {
    guard: 'mayHaveMoved',
    target: '#notification.answering.checking',
    actions: [passed(FUNCTION.post), 'countPost'],
  },
  { target: '#notification.answering.marking', actions: [passed(FUNCTION.post), 'countPost'] },
] as const;

export const answering = notificationSetup.createStateConfig({
  description: 'Brings the reply into the thread and marks the row.',
  initial: 'choosing',
  states: {
    choosing: {
      description: 'In one call where Convex offers it, else step by step.',
      always: [
        { guard: 'completes', target: 'completing' },
        { guard: 'hasMessage', target: 'posting' },
        { guard: 'mayHaveMoved', target: 'checking' },
        { target: 'marking' },
      ],
    },
    completing: {
      entry: 'beginCompletion',
      ...step('Posts the reply, looks whether the row has moved, marks it: one transaction of Convex.', {
        src: 'completeDelivery',
        input: ({ context }: Here) => ({
          ...writeAhead({ context }),
          version: answeredVersion(context),
          content:
            context.result.outcome === 'delivered' && context.reply ? messageText(context.reply) : null,
          startsTask: movesTask(context),
        }),
        onDone: [
          {
            guard: { type: 'isMoved', params: rereadParams },
            target: '#notification.deciding',
            actions: [passed(FUNCTION.complete), 'countCompletedPost', moveOn],
          },
          {
            guard: 'hasMessage',
            target: '#notification.done',
            actions: [passed(FUNCTION.complete), passed(FUNCTION.post), passed(FUNCTION.mark)],
          },
          {
            target: '#notification.done',
            actions: [passed(FUNCTION.complete), passed(FUNCTION.mark)],
          },
        ],
        onError: [
          {
            guard: { type: 'textTooLong', params: faultParams },
            target: '#notification.answering.burying',
            actions: [keepFault, giveUp],
          },
          ...away(FUNCTION.complete),
          // The function failed as a whole, or is not there any more: the contract's own steps do the same.
          {
            target: '#notification.answering.choosing',
            actions: [keepFault, passed(FUNCTION.complete), 'goStepByStep'],
          },
        ],
      }),
    },
    posting: {
      description: 'Writes the reply, or the note, into the thread. From here on the run is never repeated.',
      initial: 'choosing',
      states: {
        choosing: {
          description: "The first message carries the notification's id. A later one must not.",
          always: [{ guard: 'firstMessage', target: 'first' }, { target: 'later' }],
        },
        first: step('Convex posts it once, however often it is asked.', {
          src: 'postMessage',
          input: messageOf,
          onDone: isPosted,
          onError: postFailed(FUNCTION.post),
        }),
        later: {
          description: 'Convex cannot know it again, so a try whose end is unknown is looked for first.',
          initial: 'choosing',
          states: {
            choosing: {
              description: 'Was a try begun, by this process or by one that died?',
              always: [{ guard: 'postBegun', target: 'looking' }, { target: 'calling' }],
            },
            ...postOnce({
              post: {
                src: 'postAgain',
                input: messageOf,
                onDone: isPosted,
                onError: postFailed(FUNCTION.post),
              },
              look: { src: 'findMessage', input: messageOf, onError: postFailed(FUNCTION.look) },
              whenFound: {
                target: '#notification.answering.checking',
                actions: [passed(FUNCTION.look), 'countPost'],
              },
              looked: [passed(FUNCTION.look)],
            }),
          },
        },
      },
    },
    burying: {
      description: 'The reply cannot be posted: it is kept as a dead letter in the journal, for people.',
      tags: ['busy', 'attention'],
      invoke: {
        src: 'keepDeadLetter',
        input: ({ context }) => ({
          ...messageOf({ context }),
          text: context.reply?.text ?? '',
          title: whoIn(context).title,
          reason: context.result.reason,
        }),
        onDone: '#notification.parking',
        // It is in memory, and on the disk when the disk recovers.
        onError: '#notification.parking',
      },
    },
    checking: step('Reads the row again: a newer message may have been coalesced into it during the run.', {
      src: 'rereadRow',
      input: writeAhead,
      onDone: [
        {
          guard: { type: 'moved', params: rereadParams },
          target: '#notification.deciding',
          actions: [passed(FUNCTION.read), moveOn],
        },
        { target: '#notification.answering.marking', actions: [passed(FUNCTION.read), 'forgiveStep'] },
      ],
      onError: stepFailed(FUNCTION.read, { target: '#notification.answering.marking' }),
    }),
    marking: {
      entry: 'settle',
      ...step('Marks the row delivered: the last word on it.', {
        src: 'markDelivered',
        input: ({ context }: Here) => ({
          ...writeAhead({ context }),
          version: mayHaveMoved(context) ? context.version : null,
        }),
        onDone: [
          {
            guard: { type: 'isMoved', params: rereadParams },
            target: '#notification.deciding',
            actions: [passed(FUNCTION.mark), moveOn],
          },
          { target: '#notification.done', actions: passed(FUNCTION.mark) },
        ],
        onError: stepFailed(FUNCTION.mark, {
          target: '#notification.done',
          actions: [keepFault, { type: 'setOutcome', params: { outcome: 'stuck' } }] as const,
        }),
      }),
    },
  },
});

export function writeAhead({ context: { row, entry } }: Here): WriteAhead {
  return { id: row._id, entry };
}

function messageOf({ context }: Here): Message & WriteAhead {
  const { result, reply, delivery, row } = context;
  const isReply = result.outcome === 'delivered';
  const agentName = delivery?.agent?.name ?? 'The agent';
  return {
    ...writeAhead({ context }),
    row,
    content: isReply && reply ? messageText(reply) : noteText(agentName, result.note ?? 'attemptsSpent'),
    quiet: !isReply,
    startsTask: movesTask(context),
  };
}

const movesTask = ({ result, delivery }: NotificationContext): boolean =>
  result.outcome === 'delivered' && delivery !== null && startsTask(delivery);
