import { roundEnded } from '../shared/child.ts';
import { faultParams } from '../shared/fault.ts';
import { listening } from '../shared/listening.ts';
import { makingCalls } from '../shared/making-calls.ts';
import { postOnce } from '../shared/post-once.ts';
import { nextCall } from '../shared/rounds.ts';
import { whoIs } from '../shared/who.ts';
import type { BeatContext, BeatLetter } from './context.ts';
import { beatSetup, freshBeat, MAX_FAILURES } from './setup.ts';

const keepFault = { type: 'keepFault', params: faultParams } as const;

interface Here {
  context: BeatContext;
}

const letterOf = ({ input: { agent }, plan, message, reason }: BeatContext): BeatLetter => ({
  agentId: agent._id,
  title: whoIs(agent.slug, plan?.tasks.find(({ _id }) => _id === message?.taskId)?.title ?? 'heartbeat')
    .title,
  message,
  reason,
});

/** A call of the post failed. The end of the try is unknown, so the next one looks first. */
const postFailed = [
  { guard: { type: 'backendAway', params: faultParams }, target: 'resting', actions: keepFault },
  { guard: 'rejectedTooOften', target: '#beat.burying', actions: keepFault },
  { target: 'resting', actions: [keepFault, 'countRejection'] },
] as const;

export const beatMachine = beatSetup.createMachine({
  id: 'beat',
  description:
    'One heartbeat of an agent, on its system session. A beat that fails is not repeated: the next one comes.',
  context: ({ input }) => freshBeat(input),
  output: ({ context: { input, plan, outcome, runMs, reason } }) => ({
    kind: 'beat',
    session: input.session,
    title: whoIs(input.agent.slug, 'heartbeat').title,
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
                actions: [{ type: 'keepCalls', params: ({ event }) => event.output }, ...roundEnded],
              },
              {
                target: '#beat.judging',
                actions: [{ type: 'keepReply', params: ({ event }) => event.output }, ...roundEnded],
              },
            ],
            onError: [
              {
                guard: { type: 'gatewayTrouble', params: faultParams },
                target: '#beat.done',
                actions: [keepFault, { type: 'reportGateway', params: faultParams }],
              },
              {
                guard: { type: 'attempt', params: faultParams },
                target: '#beat.done',
                actions: [keepFault, { type: 'reportRunFailed', params: faultParams }],
              },
              { target: '#beat.done', actions: keepFault },
            ],
          },
        },
        acting: makingCalls(
          {
            src: 'makeCall',
            input: ({ context: { plan, rounds, rest } }: Here) => ({
              acting: plan?.acting ?? null,
              next: nextCall(rounds),
              rounds,
              unreachable: rest.failures >= MAX_FAILURES,
            }),
            onError: [
              {
                guard: { type: 'backendAway', params: faultParams },
                target: '#beat.waiting',
                actions: ['beginCall', keepFault],
              },
              { target: '#beat.done', actions: keepFault },
            ],
          },
          '#beat.working.running',
          [{ guard: 'leaving', target: '#beat.done' }],
        ),
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
      on: { 'work.abort': 'burying' },
      initial: 'calling',
      states: postOnce({
        post: {
          src: 'postBeat',
          input: ({ context }: Here) => ({ agent: context.input.agent, message: context.message }),
          onDone: '#beat.reporting',
          onError: postFailed,
        },
        look: {
          src: 'findBeat',
          input: ({ context: { input, message, begunAt, plan } }: Here) => ({
            agent: input.agent,
            message,
            begunAt,
            after: message?.taskId === plan?.focus?._id ? (plan?.thread.at(-1)?.messageId ?? null) : null,
          }),
          onError: postFailed,
        },
        whenFound: { target: '#beat.reporting' },
        looked: [],
      }),
    },
    burying: {
      description: 'The text cannot be posted: it is kept as a dead letter in the journal, for people.',
      tags: ['busy', 'attention'],
      invoke: {
        src: 'keepDeadLetter',
        input: ({ context }) => letterOf(context),
        onDone: 'done',
        // It is in memory, and on the disk when the disk recovers.
        onError: 'done',
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
