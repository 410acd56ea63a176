import { assign, enqueueActions, fromPromise, sendTo, setup, type ActorRefFrom } from 'xstate';
import type { ActingAgent, ToolAnswer } from '../shared/acting.ts';
import { backoff, type BackoffLimits } from '../shared/backoff.ts';
import {
  faultOf,
  faultParams,
  isAttempt,
  isGatewayTrouble,
  type Fault,
  type FaultKind,
} from '../shared/fault.ts';
import type { AgentRow, TaskRow, ThreadMessage } from '../shared/mission-control.ts';
import { listening } from '../shared/listening.ts';
import type { Moment } from '../shared/moment.ts';
import type { Parent } from '../shared/parent.ts';
import { addRound, answeredCall, begunCall, mayCall, nextCall, NO_ROUNDS } from '../shared/rounds.ts';
import type { NextCall, Rounds } from '../shared/rounds.ts';
import type { ChildNews, ChildOrder, Sign } from '../shared/slot.ts';
import type { Tag } from '../shared/tags.ts';
import { whoIs } from '../shared/who.ts';
import type { Spent } from '../shared/spending.ts';
import type { ToolCall } from '../shared/tools.ts';

export interface BeatInput {
  parent: Parent<ChildNews>;
  /** The key of the agent's system session. */
  session: string;
  agent: AgentRow;
  /** The tasks that its earlier beats were about, by id, the latest last. */
  seen: readonly string[];
  /** Backoff of a single Convex call. */
  backend: BackoffLimits;
  /** After so much silence of a round /health names its run; milliseconds. */
  stallAfterMs: number;
  /** A number in [0, 1). */
  random: () => number;
  /** The present moment. */
  moment: () => Moment;
}

/** What the agent is to look at. */
export interface BeatPlan {
  isOrchestrator: boolean;
  tasks: readonly TaskRow[];
  /** How many more there are. */
  leftOut: number;
  /** The task that the beat is about; null when there is none. */
  focus: TaskRow | null;
  /** The newest messages of the focus task, oldest first. */
  thread: readonly ThreadMessage[];
  /** Who acts in its runs; null: tools are switched off. */
  acting: ActingAgent | null;
}

export interface BeatRun {
  agent: AgentRow;
  plan: BeatPlan | null;
  rounds: Rounds;
  /** How long the run's earlier rounds took, in milliseconds. */
  ranMs: number;
  /** Hears when the gateway sends something. */
  signs: Parent<Sign>;
}

/** What a round of the run came to. */
export interface BeatRound {
  /** What the agent calls; its text counts only where there are none. */
  calls: readonly ToolCall[];
  message: BeatMessage | null;
  runMs: number;
  spent?: Spent | null;
}

/** One call to make. */
export interface BeatCall {
  acting: ActingAgent | null;
  next: NextCall | null;
  /** The rounds of the run so far. */
  rounds: Rounds;
  /** Convex is away for too long, so the agent is told and nothing is called. */
  unreachable: boolean;
}

export interface BeatOutput {
  kind: 'beat';
  session: string;
  agentId: string;
  outcome: 'beaten' | 'beatFailed';
  /** The task that it was about, by id. */
  focus: string | null;
  runMs: number | null;
  reason: string | null;
}

/** What the agent says on a task. */
export interface BeatMessage {
  taskId: string;
  content: string;
}

/** A message that was begun, and whose end is unknown. */
export interface BeatPost {
  agent: AgentRow;
  message: BeatMessage | null;
  /** When the last try began. */
  begunAt: Moment | null;
  /** The newest message of the thread as the beat was planned; null where it was not read. */
  after: string | null;
}

interface BeatContext {
  input: BeatInput;
  plan: BeatPlan | null;
  rounds: Rounds;
  message: BeatMessage | null;
  /** When the last try to post it began. */
  begunAt: Moment | null;
  outcome: BeatOutput['outcome'];
  runMs: number | null;
  reason: string | null;
  /** The process drains: no further call begins. */
  leaving: boolean;
  /** The run was silent for long, and people were told. */
  stalled: boolean;
  rest: { inMs: number; floorMs: number; failures: number };
}

const notProvided = (): Promise<never> =>
  Promise.reject(new Error('this actor is provided by src/runtime.ts'));

const MAX_FAILURES = 5;
/** How often the thread is looked at for a message that may still arrive. */
const LOOK_EVERY_MS = 3_000;

const NO_REST = { inMs: 0, floorMs: 0, failures: 0 };

interface Failure {
  kind: FaultKind;
}

interface Looked {
  found: boolean;
  mayArriveForMs: number;
}

const kindParams = ({ event }: { event: { error: unknown } }) => ({ kind: faultOf(event.error).kind });

const beatSetup = setup({
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
    findBeat: fromPromise<{ found: boolean; mayArriveForMs: number }, BeatPost>(notProvided),
    /** Tells Mission Control that the agent lives. */
    reportBeat: fromPromise<void, { agent: AgentRow; plan: BeatPlan | null }>(notProvided),
  },
  guards: {
    mayAct: ({ context }, { calls }: { calls: readonly ToolCall[] }) =>
      calls.length > 0 && mayCall(context.rounds),
    isActing: ({ context }) => nextCall(context.rounds) !== null,
    leaving: ({ context }) => context.leaving,
    hasMessage: ({ context }) => context.message !== null,
    found: (_, { found }: Looked) => found,
    mayArrive: (_, { mayArriveForMs }: Looked) => mayArriveForMs > 0,
    gatewayTrouble: (_, { kind }: Failure) => isGatewayTrouble(kind),
    attempt: (_, { kind }: Failure) => isAttempt(kind),
    sideAway: (_, { kind }: Failure) => kind === 'backendUnavailable' || kind === 'backendRefused',
    failedTooOften: ({ context }) => context.rest.failures >= MAX_FAILURES,
  },
  delays: {
    stallAfter: ({ context }) => context.input.stallAfterMs,
    stepBackoff: ({ context }) => context.rest.inMs,
    lookAgain: ({ context }) => Math.min(LOOK_EVERY_MS, Math.max(1, context.rest.inMs)),
  },
  actions: {
    askForSlot: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({ type: 'slot.wanted' as const, session: context.input.session, alone: false }),
    ),
    returnSlot: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({ type: 'slot.returned' as const, session: context.input.session }),
    ),
    reportRest: sendTo(
      ({ context }) => context.input.parent,
      ({ context }, params: { before: 'run' | 'call' | 'read' }) => ({
        type: 'child.rested' as const,
        session: context.input.session,
        before: params.before,
        reason: context.reason,
      }),
    ),
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
    keepFault: assign(({ context }, { fault }: { fault: Fault }) => ({
      reason: fault.message,
      rest: { ...context.rest, floorMs: fault.retryAfterMs },
    })),
    drawStep: assign(({ context: { rest, input } }) => {
      const failures = rest.failures + 1;
      return {
        rest: { ...rest, failures, inMs: backoff(failures, input.backend, input.random(), rest.floorMs) },
      };
    }),
    reportStall: enqueueActions(({ enqueue, context: { input, plan, stalled } }) => {
      enqueue.sendTo(input.parent, {
        type: 'run.stalled',
        session: input.session,
        agent: input.agent.slug,
        task: plan?.focus?.title ?? null,
        silentMs: input.stallAfterMs,
        first: !stalled,
      });
      enqueue.assign({ stalled: true });
    }),
    reportHeard: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({ type: 'run.heard' as const, session: context.input.session }),
    ),
    reportSpent: enqueueActions(({ enqueue, context: { input } }, { spent }: { spent: Spent | null }) => {
      if (spent !== null) enqueue.sendTo(input.parent, { type: 'tokens.spent', spent });
    }),
    reportRunSucceeded: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({ type: 'run.succeeded' as const, session: context.input.session }),
    ),
    reportRunFailed: sendTo(
      ({ context }) => context.input.parent,
      ({ context }, { fault }: { fault: Fault }) => ({
        type: 'run.failed' as const,
        session: context.input.session,
        who: whoIs(context.input.agent.slug, 'heartbeat'),
        kind: fault.kind,
        reason: fault.message,
      }),
    ),
    reportGateway: sendTo(
      ({ context }) => context.input.parent,
      (_, { fault }: { fault: Fault }) => ({
        type: 'gateway.suspected' as const,
        kind: fault.kind,
        reason: fault.message,
        retryAfterMs: fault.retryAfterMs,
      }),
    ),
  },
});

const reportSpent = {
  type: 'reportSpent',
  params: ({ event }: { event: { output: BeatRound } }) => ({ spent: event.output.spent ?? null }),
} as const;
const keepFault = { type: 'keepFault', params: faultParams } as const;

/** A call of the post failed. The end of the try is unknown, so the next one looks first. */
const postFailed = [
  { guard: { type: 'sideAway', params: kindParams }, target: 'resting', actions: keepFault },
  { guard: 'failedTooOften', target: '#beat.done', actions: keepFault },
  { target: 'resting', actions: keepFault },
] as const;

export const beatMachine = beatSetup.createMachine({
  id: 'beat',
  description:
    'One heartbeat of an agent, on its system session. A beat that fails is not repeated: the next one comes.',
  context: ({ input }) => ({
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
  }),
  output: ({ context: { input, plan, outcome, runMs, reason } }) => ({
    kind: 'beat',
    session: input.session,
    agentId: input.agent._id,
    outcome,
    focus: plan?.focus?._id ?? null,
    runMs,
    reason,
  }),
  initial: 'planning',
  on: { 'work.abort': '.done' },
  states: {
    planning: {
      description: "Reads the agent's tasks and the thread of the one in focus.",
      tags: ['busy'],
      on: { 'work.leave': 'done' },
      invoke: {
        src: 'planBeat',
        input: ({ context: { input } }) => ({ agent: input.agent, seen: input.seen }),
        onDone: {
          target: 'queueing',
          actions: { type: 'keepPlan', params: ({ event }) => ({ plan: event.output }) },
        },
        onError: { target: 'done', actions: keepFault },
      },
    },
    queueing: {
      description: 'Ready to run. Waits for a slot.',
      entry: 'askForSlot',
      on: {
        'work.leave': 'done',
        'slot.granted': [{ guard: 'isActing', target: 'working.acting' }, { target: 'working.running' }],
      },
    },
    working: {
      description: 'The agent works, in rounds: it answers, or calls tools and is told what they gave.',
      initial: 'running',
      exit: 'returnSlot',
      on: { 'work.leave': { actions: 'leave' } },
      states: {
        running: {
          description: 'A round is open on the gateway.',
          tags: ['busy'],
          ...listening,
          invoke: {
            src: 'runBeat',
            input: ({ context: { input, plan, rounds, runMs }, self }) => ({
              signs: self,
              agent: input.agent,
              plan,
              rounds,
              ranMs: runMs ?? 0,
            }),
            onDone: [
              {
                guard: { type: 'mayAct', params: ({ event }) => event.output },
                target: 'acting',
                actions: [
                  { type: 'keepCalls', params: ({ event }) => event.output },
                  reportSpent,
                  'reportRunSucceeded',
                ],
              },
              {
                target: '#beat.judging',
                actions: [
                  { type: 'keepReply', params: ({ event }) => event.output },
                  reportSpent,
                  'reportRunSucceeded',
                ],
              },
            ],
            onError: [
              {
                guard: { type: 'gatewayTrouble', params: kindParams },
                target: '#beat.done',
                actions: [keepFault, { type: 'reportGateway', params: faultParams }],
              },
              {
                guard: { type: 'attempt', params: kindParams },
                target: '#beat.done',
                actions: [keepFault, { type: 'reportRunFailed', params: faultParams }],
              },
              { target: '#beat.done', actions: keepFault },
            ],
          },
        },
        acting: {
          description: 'Makes the calls of one answer, one after another.',
          initial: 'choosing',
          states: {
            choosing: {
              description: 'Is there a call that is not answered yet?',
              always: [
                { guard: 'leaving', target: '#beat.done' },
                { guard: 'isActing', target: 'calling' },
                { target: '#beat.working.running' },
              ],
            },
            calling: {
              description: 'A call is under way.',
              tags: ['busy'],
              invoke: {
                src: 'makeCall',
                input: ({ context: { plan, rounds, rest } }) => ({
                  acting: plan?.acting ?? null,
                  next: nextCall(rounds),
                  rounds,
                  unreachable: rest.failures >= MAX_FAILURES,
                }),
                onDone: {
                  target: 'choosing',
                  actions: {
                    type: 'keepAnswer',
                    params: ({ event }: { event: { output: ToolAnswer } }) => ({ answer: event.output }),
                  },
                },
                onError: [
                  {
                    guard: { type: 'sideAway', params: kindParams },
                    target: '#beat.waiting',
                    actions: ['beginCall', keepFault],
                  },
                  { target: '#beat.done', actions: keepFault },
                ],
              },
            },
          },
        },
      },
    },
    waiting: {
      description: 'Convex is away in the middle of a call: rests without a slot, then makes the call again.',
      tags: ['degraded'],
      entry: ['drawStep', { type: 'reportRest', params: { before: 'read' } }],
      on: { 'work.leave': 'done', 'backend.available': 'queueing' },
      after: { stepBackoff: 'queueing' },
    },
    judging: {
      description: 'Did the agent say anything?',
      always: [{ guard: 'hasMessage', target: 'posting' }, { target: 'reporting' }],
    },
    posting: {
      description: 'Posts what the agent said. The run is never repeated for it.',
      initial: 'calling',
      states: {
        calling: {
          description: 'Posts the message.',
          tags: ['busy'],
          entry: 'beginPost',
          invoke: {
            src: 'postBeat',
            input: ({ context }) => ({ agent: context.input.agent, message: context.message }),
            onDone: '#beat.reporting',
            onError: postFailed,
          },
        },
        resting: {
          description: 'Convex did not take the message. Rests, then looks for it.',
          tags: ['degraded'],
          entry: ['drawStep', { type: 'reportRest', params: { before: 'call' } }],
          on: { 'backend.available': 'looking' },
          after: { stepBackoff: 'looking' },
        },
        looking: {
          description: 'Looks for the message in the thread: Convex cannot know it again.',
          tags: ['busy'],
          invoke: {
            src: 'findBeat',
            input: ({ context: { input, message, begunAt, plan } }) => ({
              agent: input.agent,
              message,
              begunAt,
              after: message?.taskId === plan?.focus?._id ? (plan?.thread.at(-1)?.messageId ?? null) : null,
            }),
            onDone: [
              {
                guard: { type: 'found', params: ({ event }) => event.output },
                target: '#beat.reporting',
              },
              {
                guard: { type: 'mayArrive', params: ({ event }) => event.output },
                target: 'waiting',
                actions: { type: 'noteArrival', params: ({ event }) => event.output },
              },
              { target: 'calling' },
            ],
            onError: postFailed,
          },
        },
        waiting: {
          description: 'The earlier try may still arrive.',
          tags: ['degraded'],
          after: { lookAgain: 'looking' },
        },
      },
    },
    reporting: {
      description: 'Tells Mission Control that the agent lives.',
      tags: ['busy'],
      entry: 'succeed',
      invoke: {
        src: 'reportBeat',
        input: ({ context }) => ({ agent: context.input.agent, plan: context.plan }),
        onDone: 'done',
        // The next beat says so again.
        onError: { target: 'done', actions: keepFault },
      },
    },
    done: { description: 'Delivery hears how it ended.', type: 'final' },
  },
});

export type BeatActor = ActorRefFrom<typeof beatMachine>;
