import { assign, fromPromise, sendTo, setup, type ActorRef, type Snapshot } from 'xstate';
import type { AgentRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { rememberFocus } from './focus.ts';
import { beatDelay, firstBeatDelay } from './rhythm.ts';

/** The actor that is told how a beat ended. */
type Self = ActorRef<Snapshot<unknown>, BeatDone | { type: 'beat.refused' }>;

interface BeatDone {
  type: 'beat.done';
  /** The task that the beat was about, by id; null when there was none. */
  focus: string | null;
}

/** `seen`: what the agent's earlier beats were about, the latest last. A beat that says nothing leaves no other trace. */
export type HeartbeatNews = {
  type: 'beat.due';
  agent: AgentRow;
  seen: readonly string[];
  replyTo: Self;
};

export type HeartbeatEvent =
  | { type: 'agent.changed'; agent: AgentRow }
  | BeatDone
  | { type: 'beat.refused' }
  | { type: 'gateway.available' };

export interface HeartbeatInput {
  parent: Parent<HeartbeatNews>;
  agent: AgentRow;
  /** A number in [0, 1). */
  random: () => number;
}

interface HeartbeatContext extends HeartbeatInput {
  nextInMs: number;
  beats: number;
  seen: readonly string[];
}

const noteFocus = { type: 'noteFocus', params: ({ event }: { event: BeatDone }) => event } as const;
const gatewayIsBack = { 'gateway.available': { target: 'resting', actions: 'drawFirst' } } as const;

export const heartbeatMachine = setup({
  types: {} as { context: HeartbeatContext; input: HeartbeatInput; events: HeartbeatEvent; tags: Tag },
  actors: {
    /** Tells Mission Control that the agent cannot be reached. */
    reportUnreachable: fromPromise<void, { agentId: string }>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  guards: {
    intervalChanged: ({ context }, params: { agent: AgentRow }) =>
      params.agent.heartbeatInterval !== context.agent.heartbeatInterval,
  },
  delays: {
    beatInterval: ({ context }) => context.nextInMs,
    /** A beat that still waits after a whole interval is dropped, because the next one is due. */
    beatDeadline: ({ context }) => beatDelay(context.agent, 0),
  },
  actions: {
    keepAgent: assign((_, params: { agent: AgentRow }) => ({ agent: params.agent })),
    drawFirst: assign(({ context }) => ({ nextInMs: firstBeatDelay(context.agent, context.random()) })),
    drawNext: assign(({ context }) => ({ nextInMs: beatDelay(context.agent, context.random()) })),
    noteFocus: assign(({ context }, { focus }: { focus: string | null }) => ({
      seen: rememberFocus(context.seen, focus),
    })),
    countBeat: assign(({ context }) => ({ beats: context.beats + 1 })),
    askForBeat: sendTo(
      ({ context }) => context.parent,
      ({ context, self }) => ({
        type: 'beat.due' as const,
        agent: context.agent,
        seen: context.seen,
        replyTo: self,
      }),
    ),
  },
}).createMachine({
  id: 'heartbeat',
  description:
    "One agent's heartbeat. The beat itself is a child of delivery, on the agent's system session.",
  context: ({ input }) => ({ ...input, nextInMs: 0, beats: 0, seen: [] }),
  initial: 'resting',
  entry: 'drawFirst',
  on: {
    // Of a beat that was dropped, and ran later all the same.
    'beat.done': { actions: noteFocus },
    'agent.changed': [
      {
        guard: { type: 'intervalChanged', params: ({ event }) => event },
        target: '.resting',
        actions: [{ type: 'keepAgent', params: ({ event }) => event }, 'drawFirst'],
      },
      { actions: { type: 'keepAgent', params: ({ event }) => event } },
    ],
  },
  states: {
    resting: {
      description: 'Between two beats.',
      tags: ['ready'],
      after: { beatInterval: 'beating' },
    },
    beating: {
      description: 'A beat waits for a slot or is under way.',
      tags: ['ready', 'busy'],
      entry: 'askForBeat',
      on: {
        'beat.done': { target: 'resting', actions: [noteFocus, 'countBeat', 'drawNext'] },
        'beat.refused': 'reporting',
      },
      after: { beatDeadline: { target: 'resting', actions: 'drawNext' } },
    },
    reporting: {
      description: 'The gateway is away: Mission Control is told that the agent cannot be reached.',
      tags: ['busy'],
      invoke: {
        src: 'reportUnreachable',
        input: ({ context }) => ({ agentId: context.agent._id }),
        onDone: 'unreachable',
        // A failure here does no harm: the account's own status says the same, and the next beat reports again.
        onError: 'unreachable',
      },
      on: gatewayIsBack,
    },
    unreachable: {
      description: 'Waits for the gateway, or for the next beat.',
      tags: ['degraded'],
      entry: 'drawNext',
      on: gatewayIsBack,
      after: { beatInterval: 'beating' },
    },
  },
});
