/**
 * The part of the chart after the run: from the reply, or the note, to the mark. Nothing here runs the agent again for the
 * same message. A newer one that is found in the row goes back to deciding, which may mean a run.
 */
import { faultParams } from '../shared/fault.ts';
import { postOnce } from '../shared/post-once.ts';
import { step } from '../shared/step.ts';
import type { Message } from './actors.ts';
import { answeredVersion, mayHaveMoved, type NotificationContext } from './context.ts';
import { giveUp } from './giving-up.ts';
import { noteText } from './notes.ts';
import { rereadParams, whoIn, writeAhead, type Here } from './parts.ts';
import { messageText } from './reply.ts';
import { startsTask } from './rules.ts';
import { notificationSetup } from './setup.ts';
import { away, FUNCTION, keepFault, passed, postFailed, stepFailed } from './step-failures.ts';

const moveOn = { type: 'moveOn', params: rereadParams } as const;

const whenPosted = [
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
            actions: [keepFault, giveUp('textTooLong')],
          },
          ...away(FUNCTION.complete),
          // The function itself failed, or is not there any more: the contract's own functions do the same, step by step.
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
          onDone: whenPosted,
          onError: postFailed(FUNCTION.post),
        }),
        later: {
          description: 'Convex would post it twice, so a try whose end is unknown is looked for first.',
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
                onDone: whenPosted,
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
      entry: 'beginMark',
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

function messageOf({ context }: Here): Message {
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
