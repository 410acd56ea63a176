/**
 * A step: one call that is made until it is done. While the other side is in trouble the step rests with backoff, and
 * a sign that the other side is back ends the rest. Every call that may be repeated has this shape.
 *
 * A machine that uses it has a delay `stepBackoff`, the guard `noWaitAsked`, and the actions `drawStep` and `reportRest`.
 * @param description what the call is for
 * @param before what delivery hears of a rest: `read` for a step before the run, `call` for one after it
 * @param invoke the call: `onDone` names the states that follow, `onError` ends with the target `resting`
 */
export const step = <const TDescription extends string, const TInvoke extends object>(
  description: TDescription,
  invoke: TInvoke,
  before: 'call' | 'read' = 'call',
) =>
  ({
    description,
    initial: 'calling',
    states: {
      calling: { description: 'The call is under way.', tags: ['busy'], invoke },
      resting: {
        description: 'The other side is in trouble. Rests, then calls again.',
        tags: ['degraded'],
        entry: ['drawStep', { type: 'reportRest', params: { before } }],
        on: {
          'backend.available': 'calling',
          'function.available': { guard: 'noWaitAsked', target: 'calling' },
        },
        after: { stepBackoff: 'calling' },
      },
    },
  }) as const;
