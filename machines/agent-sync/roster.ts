import { oneLine } from '../shared/agents.ts';
import type { AgentRow } from '../shared/mission-control.ts';

/** What the gateway is told about an agent. */
export interface RosterEntry {
  slug: string;
  /** One line. */
  name: string;
}

/** @param agents usable ones; @returns the roster as text, always in the same order */
export const rosterOf = (agents: readonly AgentRow[]): RosterEntry[] =>
  agents
    .map(({ slug, name }) => ({ slug, name: oneLine(name) || slug }))
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));
