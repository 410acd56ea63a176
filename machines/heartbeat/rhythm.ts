import type { AgentRow } from '../shared/mission-control.ts';

const MINUTE_MS = 60_000;
const DEFAULT_MINUTES = 15;
const JITTER_MS = 30_000;
const MAX_STAGGER_MS = 120_000;
/** A timer beyond this fires after 1 ms. */
const MAX_DELAY_MS = 2_147_483_647 - JITTER_MS;

/** The agent's interval in milliseconds; 15 minutes when it is absent or not a positive number. */
function intervalMs({ heartbeatInterval: minutes }: AgentRow): number {
  const sound = minutes !== undefined && Number.isFinite(minutes) && minutes > 0 ? minutes : DEFAULT_MINUTES;
  return Math.min(MAX_DELAY_MS, Math.max(1_000, Math.round(sound * MINUTE_MS)));
}

/** Milliseconds from the end of a beat to the next: the interval and up to 30 s more (docs/contract.md#heartbeats). */
export const beatDelay = (agent: AgentRow, random: number): number =>
  intervalMs(agent) + Math.floor(random * JITTER_MS);

/** Milliseconds to the first beat: spread over 0.4 of the interval, at most 2 minutes (docs/contract.md#heartbeats). */
export const firstBeatDelay = (agent: AgentRow, random: number): number =>
  1 + Math.floor(random * Math.min(0.4 * intervalMs(agent), MAX_STAGGER_MS));
