import type { ChildOutput, DispatchContext } from './context.ts';

/** What has happened so far, for people. No decision depends on it. */
export interface History {
  lastErrorAt: number | null;
  lastErrorMessage: string | null;
  lastDeliveryAt: number | null;
  counts: Readonly<Record<ChildOutput['outcome'], number>>;
  failedRuns: number;
  recentParks: readonly { at: number; reason: string }[];
}

export const noHistory: History = {
  lastErrorAt: null,
  lastErrorMessage: null,
  lastDeliveryAt: null,
  counts: {
    delivered: 0,
    silent: 0,
    skipped: 0,
    chatter: 0,
    already: 0,
    parked: 0,
    unanswered: 0,
    handedBack: 0,
    gone: 0,
    stuck: 0,
    beaten: 0,
    beatFailed: 0,
  },
  failedRuns: 0,
  recentParks: [],
};

const RECENT_PARKS = 5;

/** The history with one more child that has ended. */
export function recorded(
  { history, sources: { now } }: DispatchContext,
  { outcome, reason }: ChildOutput,
): History {
  return {
    ...history,
    counts: { ...history.counts, [outcome]: history.counts[outcome] + 1 },
    ...(outcome === 'delivered' && { lastDeliveryAt: now() }),
    ...((outcome === 'parked' || outcome === 'unanswered') && {
      recentParks: [
        ...history.recentParks.slice(1 - RECENT_PARKS),
        { at: now(), reason: reason ?? 'no reply' },
      ],
    }),
  };
}
