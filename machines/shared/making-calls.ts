import type { ToolAnswer } from './acting.ts';

/**
 * Between two rounds: makes the calls of one answer, one after another.
 *
 * A machine that uses it has the guard `isActing` and the action `keepAnswer`.
 * @param call the call (its output: `ToolAnswer`), with its `onError`
 * @param running the state of the next round
 * @param first what is looked at before each call
 */
export const makingCalls = <
  const TCall extends object,
  const TRunning extends string,
  const TFirst extends readonly object[],
>(
  call: TCall,
  running: TRunning,
  first: TFirst,
) =>
  ({
    description: 'Makes the calls of one answer, one after another. Then follows a round with their answers.',
    initial: 'choosing',
    states: {
      choosing: {
        description: 'Is there a call that is not answered yet?',
        always: [...first, { guard: 'isActing', target: 'calling' }, { target: running }],
      },
      calling: {
        description: 'A call is under way.',
        tags: ['busy'],
        invoke: {
          ...call,
          onDone: {
            target: 'choosing',
            actions: {
              type: 'keepAnswer',
              params: ({ event }: { event: { output: ToolAnswer } }) => ({ answer: event.output }),
            },
          },
        },
      },
    },
  }) as const;
