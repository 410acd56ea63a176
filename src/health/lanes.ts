import { statePaths } from './state-paths.ts';
import type { LanesReport, MachineReport } from './report.ts';

/** More lanes than this are counted, not listed: the report stays small however busy the account is. */
export const LANES_SHOWN = 50;

/** @param lanes every lane, those that matter most first */
export function lanesReport(lanes: readonly MachineReport[]): LanesReport {
  const rest: Record<string, number> = {};
  for (const lane of lanes.slice(LANES_SHOWN)) {
    const state = statePaths(lane.value).join(' ');
    rest[state] = (rest[state] ?? 0) + 1;
  }
  return { total: lanes.length, shown: lanes.slice(0, LANES_SHOWN), rest };
}
