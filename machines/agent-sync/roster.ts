import type { AgentRow } from '../shared/mission-control.ts';

/** Slugs come from people and end in headers, keys and paths: only these are let through. */
const SLUG = /^[A-Za-z0-9_-]+$/;

export function usableAgents(agents: readonly AgentRow[]): { agents: AgentRow[]; skipped: string[] } {
  return {
    agents: agents.filter((agent) => SLUG.test(agent.slug)),
    skipped: agents.filter((agent) => !SLUG.test(agent.slug)).map((agent) => agent.name),
  };
}
