import type { StateValue } from 'xstate';
import { statePaths } from './state-paths.ts';
import type { LanesReport, MachineReport } from './report.ts';

/** More lanes than this are counted, not listed: the report stays small, and quickly made, however busy the account is. */
export const LANES_SHOWN = 50;

/**
 * @param lanes every lane; those with nothing to do come last
 * @param describe a lane that is listed
 */
export function lanesReport<Lane extends { value: StateValue }>(
  lanes: readonly Lane[],
  describe: (lane: Lane) => MachineReport,
): LanesReport {
  const isIdle = ({ value }: Lane): boolean => value === 'waiting';
  const all = [...lanes.filter((lane) => !isIdle(lane)), ...lanes.filter(isIdle)];
  const rest: Record<string, number> = {};
  for (const { value } of all.slice(LANES_SHOWN)) {
    const state = statePaths(value).join(' ');
    rest[state] = (rest[state] ?? 0) + 1;
  }
  return { total: lanes.length, shown: all.slice(0, LANES_SHOWN).map(describe), rest };
}
