import { assign, fromPromise, sendTo, setup } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { faultParams, type Fault } from '../shared/fault.ts';
import type { AgentProfile } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { profilesOf, type Profile } from './profile.ts';

export interface ProfileSyncInput {
  parent: Parent<ConditionChanged>;
  intervalMs: number;
  backend: BackoffLimits;
  random: () => number;
}

interface ProfileSyncContext extends ProfileSyncInput {
  profiles: readonly Profile[];
  /** In words, what of the profiles is not published. */
  leftOut: readonly string[];
  failures: number;
  retryInMs: number;
  lastErrorMessage: string | null;
}

const UNREAD = "The agents' profiles cannot be read.";
const UNPUBLISHED = "The agents' profiles cannot be handed to the gateway.";

export const profileSyncMachine = setup({
  types: {} as { context: ProfileSyncContext; input: ProfileSyncInput; tags: Tag },
  actors: {
    listProfiles: fromPromise<AgentProfile[]>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
    publishProfiles: fromPromise<void, { profiles: readonly Profile[]; leftOut: readonly string[] }>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  delays: {
    syncInterval: ({ context }) => context.intervalMs,
    syncBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepProfiles: assign((_, params: { rows: AgentProfile[] }) => profilesOf(params.rows)),
    forgetFailures: assign({ failures: 0, lastErrorMessage: null }),
    countFailure: assign(({ context }, params: { fault: Fault }) => {
      const failures = context.failures + 1;
      const limits = params.fault.kind === 'backendRefused' ? REFUSED_BACKOFF : context.backend;
      return {
        failures,
        retryInMs: backoff(failures, limits, context.random(), params.fault.retryAfterMs),
        lastErrorMessage: params.fault.message,
      };
    }),
    announceAllWell: sendTo(
      ({ context }) => context.parent,
      () => ({ type: 'condition.changed' as const, source: 'profiles', problem: null }),
    ),
    announceTrouble: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { what: string }) => ({
        type: 'condition.changed' as const,
        source: 'profiles',
        problem: `${params.what} ${context.lastErrorMessage ?? ''}`,
      }),
    ),
  },
}).createMachine({
  id: 'profileSync',
  description: "Publishes who the agents are, for the gateway's side to write into their workspaces.",
  context: ({ input }) => ({
    ...input,
    profiles: [],
    leftOut: [],
    failures: 0,
    retryInMs: 0,
    lastErrorMessage: null,
  }),
  initial: 'reading',
  states: {
    reading: {
      description: 'Reads the profiles of the account.',
      tags: ['busy'],
      invoke: {
        src: 'listProfiles',
        onDone: {
          target: 'publishing',
          actions: { type: 'keepProfiles', params: ({ event }) => ({ rows: event.output }) },
        },
        onError: { target: 'unread', actions: { type: 'countFailure', params: faultParams } },
      },
    },
    publishing: {
      description: "Writes them where the gateway's side looks, where they say something new.",
      tags: ['busy'],
      invoke: {
        src: 'publishProfiles',
        input: ({ context: { profiles, leftOut } }) => ({ profiles, leftOut }),
        onDone: { target: 'synced', actions: 'forgetFailures' },
        onError: { target: 'unpublished', actions: { type: 'countFailure', params: faultParams } },
      },
    },
    synced: {
      description: 'The profiles are as fresh as the interval says.',
      tags: ['ready'],
      entry: 'announceAllWell',
      after: { syncInterval: 'reading' },
    },
    unread: {
      description: 'The profiles could not be read: the old ones stay in force. Tried again with backoff.',
      tags: ['degraded'],
      entry: { type: 'announceTrouble', params: { what: UNREAD } },
      after: { syncBackoff: 'reading' },
    },
    unpublished: {
      description: 'The profiles could not be written: both again, with backoff.',
      tags: ['degraded'],
      entry: { type: 'announceTrouble', params: { what: UNPUBLISHED } },
      after: { syncBackoff: 'reading' },
    },
  },
});
