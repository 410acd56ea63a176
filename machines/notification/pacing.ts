/** Threads in which agents answer each other: delivery is slowed down there, and then held (docs/contract.md#chatter). */
import { isChatter, paceOf, threadOf } from './chatter.ts';
import type { Reread } from './context.ts';
import { isSameVersion, versionOf } from './version.ts';
import { withGivingUp } from './giving-up.ts';
import { update, rereadParams, restWith, writeAhead } from './parts.ts';

export const withPacing = withGivingUp.extend({
  guards: {
    /** Agents only answer each other. A run that has called something goes on. */
    chatters: ({ context: { delivery, thread, input, entry } }) =>
      delivery !== null && entry.rounds.count === 0 && isChatter(delivery, thread, input.chainLimit),
    /** Agents have answered each other several times in a row, and this version has not waited yet. */
    mustPace: ({ context: { delivery, thread, input, version, paced } }) =>
      delivery !== null && paceOf(delivery, thread, input.chainLimit) > 0 && !isSameVersion(version, paced),
    /** No person has written, and the row has not moved: it was another row of the session that stirred. */
    stillPaced: ({ context: { thread, input, version } }, { delivery }: Reread) =>
      delivery !== null &&
      isSameVersion(versionOf(delivery.notification), version) &&
      paceOf(delivery, threadOf(delivery, thread), input.chainLimit) > 0,
  },
  actions: {
    drawPace: update((context) => ({
      paced: context.version,
      ...restWith(context, {
        inMs: context.delivery ? paceOf(context.delivery, context.thread, context.input.chainLimit) : 0,
      }),
    })),
  },
});

/** The wait before a run. A person who writes ends it. */
export const pacing = withPacing.createStateConfig({
  description: 'Agents answer each other: each reply waits twice as long as the one before.',
  entry: ['drawPace', { type: 'reportRest', params: { before: 'pace' } }],
  after: { pace: { target: 'stale', actions: 'askForSlot' } },
  initial: 'waiting',
  states: {
    waiting: {
      description: 'Waits for its pace.',
      on: { 'row.stirred': 'looking' },
    },
    looking: {
      description: 'Has a person written? Then it waits no longer.',
      tags: ['busy'],
      invoke: {
        src: 'rereadRow',
        input: writeAhead,
        onDone: [
          { guard: { type: 'stillPaced', params: rereadParams }, target: 'waiting' },
          { target: '#notification.reading' },
        ],
        onError: 'unsure',
      },
      // What came while it looked may not be in the answer.
      on: { 'row.stirred': { target: 'looking', reenter: true } },
    },
    unsure: {
      description: 'Convex did not say. Looks again after a while.',
      tags: ['degraded'],
      entry: 'drawStep',
      on: { 'row.stirred': 'looking', 'backend.available': 'looking' },
      after: { stepBackoff: 'looking' },
    },
  },
});
