import type { FaultKind } from '../shared/fault.ts';

/** Runs that failed in a row with no success between them, the newest last; only the last three matter. */
export type Streak = readonly { session: string; kind: FaultKind }[];

const LENGTH = 3;

export function extendStreak(streak: Streak, failed: { session: string; kind: FaultKind }): Streak {
  return [...streak, { session: failed.session, kind: failed.kind }].slice(-LENGTH);
}

/**
 * Trouble that everyone has is nobody's: three failures alike in a row, not all of one session, are the gateway's
 * or its model provider's (docs/architecture.md#when-something-fails). One session that fails alone is that session's own trouble.
 */
export function isCommonTrouble(streak: Streak): boolean {
  const kinds = new Set(streak.map((run) => run.kind));
  const sessions = new Set(streak.map((run) => run.session));
  return streak.length === LENGTH && kinds.size === 1 && sessions.size > 1;
}
