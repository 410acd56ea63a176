/** What the words of the beat's chart mean: its I/O, guards, delays and actions. */
import { assign, fromPromise, setup } from 'xstate';
import type { ToolAnswer } from '../shared/acting.ts';
import { backoff } from '../shared/backoff.ts';
import { childActions, childDelays, childGuards, type Looked } from '../shared/child.ts';
import type { Failure } from '../shared/fault.ts';
import type { AgentRow } from '../shared/mission-control.ts';
import { addRound, answeredCall, begunCall, mayCall, nextCall, NO_ROUNDS } from '../shared/rounds.ts';
import type { ChildOrder, Sign } from '../shared/child-messages.ts';
import type { Tag } from '../shared/tags.ts';
import type { ToolCall } from '../shared/tools.ts';
import { whoIs } from '../shared/who.ts';
import type {
  BeatCall,
  BeatContext,
  BeatInput,
  BeatLetter,
  BeatMessage,
  BeatOutput,
  BeatPlan,
  BeatPost,
  BeatRound,
  BeatRun,
} from './context.ts';

const notProvided = (): Promise<never> =>
  Promise.reject(new Error('this actor is provided by src/runtime.ts'));

export const MAX_FAILURES = 5;

const NO_REST = { inMs: 0, floorMs: 0, failures: 0, rejections: 0 };

export const beatSetup = setup({
  types: {} as {
    context: BeatContext;
    input: BeatInput;
    output: BeatOutput;
    events: ChildOrder | Sign;
    tags: Tag;
  },
  actors: {
    /** Reads the agent's tasks and the thread of the one in focus. */
    planBeat: fromPromise<BeatPlan, { agent: AgentRow; seen: readonly string[] }>(notProvided),
    /**
     * One round of the agent on its system session: the first, or what follows the calls of the round before.
     * `message`: what it says, and on which task; null for silence.
     */
    runBeat: fromPromise<BeatRound, BeatRun>(notProvided),
    makeCall: fromPromise<ToolAnswer, BeatCall>(notProvided),
    postBeat: fromPromise<void, { agent: AgentRow; message: BeatMessage | null }>(notProvided),
    /** Whether the message is in the thread; else how long a try may still arrive, in milliseconds. */
    findBeat: fromPromise<Looked, BeatPost>(notProvided),
    /** Keeps a text that cannot be posted. */
    keepDeadLetter: fromPromise<void, BeatLetter>(notProvided),
    /** Tells Mission Control that the agent lives. */
    reportBeat: fromPromise<void, { agent: AgentRow; plan: BeatPlan | null }>(notProvided),
  },
  guards: {
    ...childGuards,
    mayAct: ({ context }, { calls }: { calls: readonly ToolCall[] }) =>
      calls.length > 0 && mayCall(context.rounds),
    isActing: ({ context }) => nextCall(context.rounds) !== null,
    leaving: ({ context }) => context.leaving,
    hasMessage: ({ context }) => context.message !== null,
    rejectedTooOften: ({ context }) => context.rest.rejections + 1 >= MAX_FAILURES,
  },
  delays: childDelays,
  actions: {
    ...childActions<BeatContext, ChildOrder | Sign>({
      who: ({ input }) => whoIs(input.agent.slug, 'heartbeat'),
      task: ({ plan }) => plan?.focus?.title ?? null,
      reason: ({ reason }) => reason,
      alone: () => false,
    }),
    keepPlan: assign((_, params: { plan: BeatPlan }) => params),
    keepReply: assign(({ context }, { message, runMs }: BeatRound) => ({
      message,
      runMs: (context.runMs ?? 0) + runMs,
    })),
    keepCalls: assign(({ context }, { calls, runMs }: BeatRound) => ({
      rounds: addRound(context.rounds, calls, context.plan?.focus?.status ?? null),
      runMs: (context.runMs ?? 0) + runMs,
    })),
    beginCall: assign(({ context }) => ({ rounds: begunCall(context.rounds) })),
    keepAnswer: assign(({ context }, { answer }: { answer: ToolAnswer }) => ({
      rounds: answeredCall(context.rounds, answer),
      rest: NO_REST,
    })),
    beginPost: assign(({ context }) => ({ begunAt: context.input.moment() })),
    noteArrival: assign(({ context: { rest } }, { mayArriveForMs }: Looked) => ({
      rest: { ...rest, inMs: mayArriveForMs },
    })),
    leave: assign({ leaving: true }),
    succeed: assign({ outcome: 'beaten' }),
    keepFault: assign(({ context }, { fault }: Failure) => ({
      reason: fault.message,
      rest: { ...context.rest, floorMs: fault.retryAfterMs },
    })),
    countRejection: assign(({ context: { rest } }) => ({
      rest: { ...rest, rejections: rest.rejections + 1 },
    })),
    drawStep: assign(({ context: { rest, input } }) => {
      const failures = rest.failures + 1;
      return {
        rest: { ...rest, failures, inMs: backoff(failures, input.backend, input.random(), rest.floorMs) },
      };
    }),
    noteStall: assign({ stalled: true }),
  },
});

export const freshBeat = (input: BeatInput): BeatContext => ({
  input,
  plan: null,
  message: null,
  begunAt: null,
  outcome: 'beatFailed',
  runMs: null,
  reason: null,
  leaving: false,
  stalled: false,
  rounds: NO_ROUNDS,
  rest: NO_REST,
});
