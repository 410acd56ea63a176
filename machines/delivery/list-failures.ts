/** What region `poll` does when Convex does not give the list. */
import { assign, sendTo } from 'xstate';
import { backoff, REFUSED_BACKOFF } from '../shared/backoff.ts';
import { faultParams, type Failure } from '../shared/fault.ts';
import { withAside } from './aside.ts';
import { tellChildren } from './parts.ts';

const countPollFailure = { type: 'countPollFailure', params: faultParams } as const;

export const listFailed = [
  { guard: { type: 'tokenRefused', params: faultParams }, target: 'refused', actions: countPollFailure },
  { target: 'backingOff', actions: countPollFailure },
] as const;

export const withListFailures = withAside.extend({
  guards: {
    tokenRefused: (_, { fault }: Failure) => fault.kind === 'backendRefused',
  },
  delays: { pollBackoff: ({ context }) => context.poll.inMs },
  actions: {
    countPollFailure: assign(({ context: { poll, history, sources } }, { fault }: Failure) => ({
      poll: { ...poll, failures: poll.failures + 1, floorMs: fault.retryAfterMs },
      history: { ...history, lastErrorAt: sources.now(), lastErrorMessage: fault.message },
    })),
    drawBackoff: assign(({ context: { poll, settings, sources } }, params: { refused: boolean }) => {
      const limits = params.refused ? REFUSED_BACKOFF : settings.backend;
      return {
        poll: { ...poll, inMs: backoff(Math.max(1, poll.failures), limits, sources.random(), poll.floorMs) },
      };
    }),
    announceTrouble: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { severity: 'degraded' | 'failed' }) => ({
        type: 'condition.changed' as const,
        source: 'delivery',
        severity: params.severity,
        problem: `The list of notifications cannot be read. ${context.history.lastErrorMessage ?? ''}`,
      }),
    ),
  },
});

export const backingOff = withListFailures.createStateConfig({
  description: 'Convex did not give the list: waits with backoff, or until it shows signs of life.',
  tags: ['degraded'],
  entry: [
    { type: 'drawBackoff', params: { refused: false } },
    { type: 'announceTrouble', params: { severity: 'degraded' } },
  ],
  on: {
    'delivery.poll': 'standby',
    // The subscription is back, so Convex is back.
    'queue.watched': {
      target: 'standby',
      actions: { type: 'noteWatch', params: { watched: true } },
    },
    'backend.available': { target: 'standby', actions: tellChildren({ type: 'backend.available' }) },
  },
  after: { pollBackoff: 'standby' },
});

export const refused = withListFailures.createStateConfig({
  description:
    'Mission Control refuses the service token: somebody must set the right one. Tried again slowly.',
  tags: ['degraded', 'attention'],
  entry: [
    { type: 'drawBackoff', params: { refused: true } },
    { type: 'announceTrouble', params: { severity: 'failed' } },
  ],
  on: {
    'delivery.poll': 'standby',
    'backend.available': { target: 'standby', actions: tellChildren({ type: 'backend.available' }) },
  },
  after: { pollBackoff: 'standby' },
});
