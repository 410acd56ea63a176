import type { FaultKind } from '../shared/fault.ts';
import { agentIn } from '../shared/child-messages.ts';

/** Runs that failed in a row with no success between them, the newest last; only the last three matter. */
export type Streak = readonly { session: string; kind: FaultKind }[];

const LENGTH = 3;

export function extendStreak(streak: Streak, failed: { session: string; kind: FaultKind }): Streak {
  return [...streak, { session: failed.session, kind: failed.kind }].slice(-LENGTH);
}

/**
 * If three runs in a row fail alike and belong to more than one agent, the trouble is the gateway's or its model provider's.
 * What one agent alone has is its own trouble (docs/architecture.md#when-something-fails).
 * @param onlyAgent the account has no other agent: then two of its tasks tell as much
 */
export function isCommonTrouble(streak: Streak, onlyAgent: boolean): boolean {
  const kinds = new Set(streak.map(({ kind }) => kind));
  const agents = new Set(streak.map(({ session }) => agentIn(session)));
  const tasks = new Set(streak.map(({ session }) => session).filter((key) => !key.endsWith('/system')));
  return streak.length === LENGTH && kinds.size === 1 && (agents.size > 1 || (onlyAgent && tasks.size > 1));
}
