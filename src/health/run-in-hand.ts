/** What an open run is at: its round, and the call that is being made. Numbers and names of tools alone. */
import { nextCall, type Rounds } from '../../machines/shared/rounds.ts';
import { findTool } from '../tools/catalog/catalog.ts';
import type { RunInHand } from './report.ts';
import { statePaths } from './state-paths.ts';
import type { StateValue } from 'xstate';

/** As much as is read of the context of a notification or a beat. */
interface Told {
  entry?: { rounds: Rounds };
  rounds?: Rounds;
}

interface Seen {
  value?: StateValue;
  context?: Told;
}

/** @param snapshot any actor's. @returns null for what has no run open, resting ones included */
export function runInHand(snapshot: unknown): RunInHand | null {
  const { value, context } = snapshot as Seen;
  const rounds = context?.entry?.rounds ?? context?.rounds;
  if (value === undefined || rounds === undefined) return null;
  const [state = ''] = statePaths(value);
  if (state === 'working.running') return { round: rounds.count + 1, call: null };
  const next = state.startsWith('working.acting') ? nextCall(rounds) : null;
  if (next === null) return null;
  // A name that a model made up is not told.
  const tool = findTool(next.call.name)?.name ?? 'unknown';
  return { round: rounds.count, call: { tool, number: next.index + 1, of: rounds.calls.length } };
}

/** `round 3: task_status (2 of 3)`; null for a first round without a call. */
export function runText(run: RunInHand | null): string | null {
  if (run === null || (run.round === 1 && run.call === null)) return null;
  if (run.call === null) return `round ${run.round}`;
  const { tool, number, of } = run.call;
  return `round ${run.round}: ${tool}${of > 1 ? ` (${number} of ${of})` : ''}`;
}
