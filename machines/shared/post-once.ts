import type { Looked } from './child.ts';

/**
 * Posts a message that Convex does not recognise when it is posted a second time. So when the end of a try is unknown, the
 * machine looks into the thread before the next try.
 *
 * A machine that uses it has the delays `stepBackoff` and `lookAgain`, the guards `found`, `mayArrive` and `noWaitAsked`,
 * and the actions `beginPost`, `noteArrival`, `drawStep` and `reportRest`.
 * @param post the call that posts; `onDone` names the state that follows, `onError` ends with the target `resting`
 * @param look the call that looks (its output: `Looked`); `onError` ends with the target `resting`
 * @param whenFound the transition for a message that is there
 * @param looked what is done after each look that worked
 */
export const postOnce = <
  const TPost extends object,
  const TLook extends object,
  const TFound extends object,
  const TLooked extends readonly object[],
>({
  post,
  look,
  whenFound,
  looked,
}: {
  post: TPost;
  look: TLook;
  whenFound: TFound;
  looked: TLooked;
}) =>
  ({
    calling: {
      description: 'Posts the message.',
      tags: ['busy'],
      entry: 'beginPost',
      invoke: post,
    },
    resting: {
      description: 'Convex did not take the message. Rests, then looks for it.',
      tags: ['degraded'],
      entry: ['drawStep', { type: 'reportRest', params: { before: 'call' } }],
      on: {
        'backend.available': 'looking',
        'function.available': { guard: 'noWaitAsked', target: 'looking' },
      },
      after: { stepBackoff: 'looking' },
    },
    looking: {
      description: 'Looks for the message in the thread.',
      tags: ['busy'],
      invoke: {
        ...look,
        onDone: [
          { guard: { type: 'found', params: lookParams }, ...whenFound },
          {
            guard: { type: 'mayArrive', params: lookParams },
            target: 'waiting',
            actions: [...looked, { type: 'noteArrival', params: lookParams }],
          },
          { target: 'calling', actions: looked },
        ],
      },
    },
    waiting: {
      description: 'The earlier try may still arrive.',
      tags: ['degraded'],
      after: { lookAgain: 'looking' },
    },
  }) as const;

const lookParams = ({ event }: { event: { output: Looked } }): Looked => event.output;
