/** A run with tools: what the agent calls between two rounds, and how each call ended. */
import { actingOn, type ToolAnswer } from '../shared/acting.ts';
import { faultParams, type Failure } from '../shared/fault.ts';
import { makingCalls } from '../shared/making-calls.ts';
import { mayCall, nextCall } from '../shared/rounds.ts';
import type { ToolCall } from '../shared/tools.ts';
import { callAnswered, callBegan, called, isActing } from './entry.ts';
import { MAX_CALL_FAILURES } from './failures.ts';
import { withPacing } from './pacing.ts';
import { update, restWith, type Here } from './parts.ts';
import { keepFault } from './step-failures.ts';

export const withToolCalls = withPacing.extend({
  guards: {
    mayAct: ({ context }, { calls }: { calls: readonly ToolCall[] }) =>
      calls.length > 0 && mayCall(context.entry.rounds),
    /** A call is not answered yet. */
    isActing: ({ context }) => isActing(context.entry),
  },
  actions: {
    keepCalls: update(
      ({ entry, result, version, delivery }, params: { calls: readonly ToolCall[]; runMs: number }) => ({
        entry: called(entry, params.calls, { version, taskStatus: delivery?.task?.status ?? null }),
        unpaid: false,
        result: { ...result, runMs: (result.runMs ?? 0) + params.runMs },
      }),
    ),
    keepAnswer: update((context, { answer }: { answer: ToolAnswer }) => ({
      entry: callAnswered(context.entry, answer),
      ...restWith(context, { callFailures: 0 }),
    })),
    /** The call may have had its effect: it is made again as a repeat, when Convex is back. */
    keepCallBegun: update((context, { fault }: Failure) =>
      // The journal did not take the call, so it did not go out.
      fault.kind === 'journalUnavailable'
        ? {}
        : {
            entry: callBegan(context.entry),
            ...restWith(context, { callFailures: context.rest.callFailures + 1 }),
          },
    ),
  },
});

export const acting = makingCalls(
  {
    src: 'makeCall',
    input: ({ context }: Here) => ({
      id: context.row._id,
      entry: callBegan(context.entry),
      acting: context.delivery && actingOn(context.delivery),
      next: nextCall(context.entry.rounds),
      version: context.version,
      unreachable: context.rest.callFailures >= MAX_CALL_FAILURES,
    }),
    // Convex is away, or the journal: the slot is for others until the call can be made again.
    onError: {
      target: '#notification.working.resting',
      actions: [
        keepFault,
        { type: 'keepCallBegun', params: faultParams },
        { type: 'excuse', params: { paid: true } },
      ],
    },
  },
  '#notification.working.running',
  [],
);
