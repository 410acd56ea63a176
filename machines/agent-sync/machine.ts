import { assign, enqueueActions, fromPromise, sendTo, setup } from 'xstate';
import { profileSyncMachine } from '../profile-sync/machine.ts';
import { usableAgents } from '../shared/agents.ts';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { faultParams, type Fault } from '../shared/fault.ts';
import type { AgentRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { missingFrom, missingSentence, rosterOf, type RosterEntry } from './roster.ts';

export interface AgentSyncInput {
  parent: Parent<AgentSyncNews>;
  intervalMs: number;
  /** null: the profiles are not published. */
  profileIntervalMs: number | null;
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
  roster: readonly RosterEntry[];
  /** The last roster that was handed to the gateway, as text; null when there was none. */
  handedOver: string | null;
  handOverFailures: number;
  /** Slugs of agents that the gateway did not know when it was last asked. */
  missing: readonly string[];
  /** How often in a row it lacked some, and how long that has lasted, in milliseconds. */
  misses: number;
  missingForMs: number;
}

/** How long a gateway takes to know an agent that it was just told about. */
const TAKE_OVER_MS = 15_000;

const UNREAD = 'The agents cannot be read.';
const UNSHARED = 'The gateway cannot be told of the agents.';

const knownParams = ({ event }: { event: { output: readonly string[] | null } }) => ({
  known: event.output,
});

export const agentSyncMachine = setup({
  types: {} as { context: AgentSyncContext; input: AgentSyncInput; events: AgentSyncEvent; tags: Tag },
  actors: {
    listAgents: fromPromise<AgentRow[]>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
    /** Does nothing unless src/runtime.ts provides a gateway that takes a roster. */
    handOverRoster: fromPromise<void, { roster: readonly RosterEntry[] }>(() => Promise.resolve()),
    /** The slugs of the agents that the gateway knows; null where it does not tell. */
    listGatewayAgents: fromPromise<readonly string[] | null>(() => Promise.resolve(null)),
    profileSync: profileSyncMachine,
  },
  guards: {
    knowsAll: ({ context }, { known }: { known: readonly string[] | null }) =>
      missingFrom(known, context.roster).length === 0,
    missingForLong: ({ context }) => context.missingForMs >= TAKE_OVER_MS,
    handedOver: ({ context }) => JSON.stringify(context.roster) === context.handedOver,
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
        roster: rosterOf(agents),
      });
      enqueue.sendTo(context.parent, { type: 'agents.synced', agents, skipped });
    }),
    startProfileSync: enqueueActions(({ enqueue, context }) => {
      const { parent, profileIntervalMs, backend, random } = context;
      if (profileIntervalMs === null) return;
      const input = { parent, intervalMs: profileIntervalMs, backend, random };
      enqueue.spawnChild('profileSync', { id: 'profileSync', systemId: 'profileSync', input });
    }),
    announceAllWell: sendTo(
      ({ context }) => context.parent,
      () => ({ type: 'condition.changed' as const, source: 'agentSync', problem: null }),
    ),
    keepHandedOver: assign(({ context }) => ({
      handedOver: JSON.stringify(context.roster),
      handOverFailures: 0,
    })),
    countHandOverFailure: assign(({ context }, params: { fault: Fault }) => {
      const handOverFailures = context.handOverFailures + 1;
      return {
        handOverFailures,
        retryInMs: backoff(handOverFailures, context.backend, context.random()),
        lastErrorMessage: params.fault.message,
      };
    }),
    keepMissing: assign(({ context }, { known }: { known: readonly string[] | null }) => {
      const misses = context.misses + 1;
      const retryInMs = backoff(misses, context.backend, context.random());
      return {
        missing: missingFrom(known, context.roster),
        misses,
        missingForMs: context.missingForMs + retryInMs,
        retryInMs,
      };
    }),
    forgetMissing: assign({ missing: [], misses: 0, missingForMs: 0 }),
    announceMissing: sendTo(
      ({ context }) => context.parent,
      ({ context }) => ({
        type: 'condition.changed' as const,
        source: 'agentSync',
        problem: missingSentence(context.missing),
      }),
    ),
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
      ({ context }, params: { severity: 'degraded' | 'failed'; what: string }) => ({
        type: 'condition.changed' as const,
        source: 'agentSync',
        severity: params.severity,
        problem: `${params.what} ${context.lastErrorMessage ?? ''}`,
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
    roster: [],
    handedOver: null,
    handOverFailures: 0,
    missing: [],
    misses: 0,
    missingForMs: 0,
  }),
  entry: 'startProfileSync',
  initial: 'syncing',
  states: {
    syncing: {
      description: 'Reads the agents of the account.',
      tags: ['busy'],
      invoke: {
        src: 'listAgents',
        onDone: {
          target: 'handingOver',
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
    handingOver: {
      description: 'Hands the agents to the gateway, where it does not have them yet.',
      tags: ['busy'],
      always: { guard: 'handedOver', target: 'comparing' },
      invoke: {
        src: 'handOverRoster',
        input: ({ context }) => ({ roster: context.roster }),
        onDone: { target: 'comparing', actions: 'keepHandedOver' },
        onError: { target: 'unshared', actions: { type: 'countHandOverFailure', params: faultParams } },
      },
    },
    comparing: {
      description: 'Asks the gateway which agents it knows.',
      tags: ['busy'],
      invoke: {
        src: 'listGatewayAgents',
        onDone: [
          { guard: { type: 'knowsAll', params: knownParams }, target: 'synced', actions: 'forgetMissing' },
          {
            guard: 'missingForLong',
            target: 'lacking',
            actions: { type: 'keepMissing', params: knownParams },
          },
          { target: 'expecting', actions: { type: 'keepMissing', params: knownParams } },
        ],
        // A gateway that is away is the gateway machine's to tell.
        onError: [{ guard: 'missingForLong', target: 'lacking' }, { target: 'synced' }],
      },
    },
    expecting: {
      description: 'The gateway lacks an agent, which it may just have been told of: asks again.',
      tags: ['ready'],
      on: { 'agents.sync': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
    lacking: {
      description:
        'The gateway still lacks an agent: whoever writes to it waits in vain. Looks again with backoff.',
      tags: ['degraded', 'attention'],
      entry: 'announceMissing',
      on: { 'agents.sync': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
    synced: {
      description: 'The list is fresh.',
      tags: ['ready'],
      entry: 'announceAllWell',
      on: { 'agents.sync': 'syncing' },
      after: { syncInterval: 'syncing' },
    },
    unshared: {
      description: 'The list is fresh, but the gateway could not be handed it: both again, with backoff.',
      tags: ['degraded'],
      entry: { type: 'announceTrouble', params: { severity: 'degraded', what: UNSHARED } },
      on: { 'agents.sync': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
    stale: {
      description:
        'The agents could not be read: the old list stays in force, and it is read again with backoff.',
      tags: ['degraded'],
      entry: { type: 'announceTrouble', params: { severity: 'degraded', what: UNREAD } },
      on: { 'agents.sync': 'syncing', 'backend.available': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
    refused: {
      description:
        'Mission Control refuses the service token: somebody must set the right one. Tried again slowly.',
      tags: ['degraded', 'attention'],
      entry: { type: 'announceTrouble', params: { severity: 'failed', what: UNREAD } },
      on: { 'agents.sync': 'syncing', 'backend.available': 'syncing' },
      after: { syncBackoff: 'syncing' },
    },
  },
});
