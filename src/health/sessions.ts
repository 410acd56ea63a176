import type { StateValue } from 'xstate';
import { statePaths } from './state-paths.ts';
import type { MachineReport, SessionsReport } from './report.ts';

/** More sessions than this are counted, not listed: the report stays small and quick to make, however busy the account is. */
export const SESSIONS_SHOWN = 50;

/**
 * @param sessions what works at the head of each session
 * @param describe one that is listed
 */
export function sessionsReport<TSession extends { value: StateValue }>(
  sessions: readonly TSession[],
  describe: (session: TSession) => MachineReport,
): SessionsReport {
  const rest: Record<string, number> = {};
  for (const { value } of sessions.slice(SESSIONS_SHOWN)) {
    const state = statePaths(value).join(' ');
    rest[state] = (rest[state] ?? 0) + 1;
  }
  return { total: sessions.length, shown: sessions.slice(0, SESSIONS_SHOWN).map(describe), rest };
}
