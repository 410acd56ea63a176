import { assign, enqueueActions, fromPromise, sendTo, setup, type ActorRefFrom } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { faultOf, type Fault } from '../shared/fault.ts';
import type { AgentRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { usableAgents } from './roster.ts';

export interface AgentSyncInput {
  parent: Parent<AgentSyncNews>;
  intervalMs: number;
  backend: BackoffLimits;
  random: () => number;
  /** Wall clock in milliseconds, for what is shown. */
  now: () => number;
}

export type AgentSyncNews =
  | ConditionChanged
  | { type: 'backend.available' }
  | { type: 'agents.synced'; agents: readonly AgentRow[]; skipped: readonly string[] };

export type AgentSyncEvent = { type: 'agents.sync' } | { type: 'backend.available' };

interface AgentSyncContext extends AgentSyncInput {
  agents: number;
  skipped: number;
  lastSyncAt: number | null;
  failures: number;
  retryInMs: number;
  lastErrorMessage: string | null;
}

const faultParams = ({ event }: { event: { error: unknown } }) => ({ fault: faultOf(event.error) });

export const agentSyncMachine = setup({
  types: {} as { context: AgentSyncContext; input: AgentSyncInput; events: AgentSyncEvent; tags: Tag },
  actors: {
    listAgents: fromPromise<AgentRow[]>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  guards: {
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
  },
  delays: {
    syncInterval: ({ context }) => context.intervalMs,
    syncBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepAgents: enqueueActions(({ enqueue, context }, params: { agents: AgentRow[] }) => {
      const { agents, skipped } = usableAgents(params.agents);
      if (context.failures > 0) enqueue.sendTo(context.parent, { type: 'backend.available' });
      enqueue.assign({
        agents: agents.length,
        skipped: skipped.length,
        lastSyncAt: context.now(),
        failures: 0,
        lastErrorMessage: null,
      });
      enqueue.sendTo(context.parent, { type: 'agents.synced', agents, skipped });
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'agentSync', problem: null });
    }),
    countFailure: assign(({ context }, params: { fault: Fault }) => {
      const failures = context.failures + 1;
      const limits = params.fault.kind === 'backendRefused' ? REFUSED_BACKOFF : context.backend;
      return {
        failures,
        retryInMs: backoff(failures, limits, context.random(), params.fault.retryAfterMs),
        lastErrorMessage: params.fault.message,
      };
    }),
    announceTrouble: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { severity: 'degraded' | 'failed' }) => ({
        type: 'condition.changed' as const,
        source: 'agentSync',
        severity: params.severity,
        problem: `The agents cannot be read. ${context.lastErrorMessage ?? ''}`,
      }),
    ),
  },
}).createMachine({
  id: 'agentSync',
  description: 'Keeps the list of agents: new ones join, vanished ones leave, changes take effect.',
  context: ({ input }) => ({
    ...input,
    agents: 0,
    skipped: 0,
    lastSyncAt: null,
    failures: 0,
    retryInMs: 0,
    lastErrorMessage: null,
  }),
  initial: 'syncing',
  states: {
    syncing: {
      description: 'Reads the agents of the account.',
      tags: ['busy'],
      invoke: {
        src: 'listAgents',
        onDone: {
          target: 'synced',
          actions: { type: 'keepAgents', params: ({ event }) => ({ agents: event.output }) },
        },
        onError: [
          {
            guard: { type: 'tokenRefused', params: faultParams },
            target: 'refused',
            actions: { type: 'countFailure', params: faultParams },
          },
          { target: 'stale', actions: { type: 'countFailure', params: faultParams } },
        ],
      },
    },
    synced: {
      description: 'The list is fresh.',
      tags: ['ready'],
      on: { 'agents.sync': 'syncing' },
      after: { syncInterval: 'syncing' },
    },
    stale: {
      description:
        'The agents could not be read: the old list stays in force, and it is read again with backoff.',
      tags: ['degraded'],
      entry: { type: 'announceTrouble', params: { severity: 'degraded' } },
      on: { 'agents.sync': 'syncing', 'backend.available': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
    refused: {
      description:
        'Mission Control refuses the service token: somebody must set the right one. Tried again slowly.',
      tags: ['degraded', 'attention'],
      entry: { type: 'announceTrouble', params: { severity: 'failed' } },
      on: { 'agents.sync': 'syncing', 'backend.available': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
  },
});

export type AgentSyncActor = ActorRefFrom<typeof agentSyncMachine>;
