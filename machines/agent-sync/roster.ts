import type { AgentRow } from '../shared/mission-control.ts';

/** Slugs come from people and end in headers, keys and paths: only these are let through. */
const SLUG = /^[A-Za-z0-9_-]+$/;

/** The agents that can be spoken to, and the names of the others. The gateway lower-cases slugs, so twins are left out. */
export function usableAgents(all: readonly AgentRow[]): { agents: AgentRow[]; skipped: string[] } {
  const seen = new Set<string>();
  const agents: AgentRow[] = [];
  const skipped: string[] = [];
  for (const agent of all) {
    const slug = agent.slug.toLowerCase();
    if (SLUG.test(agent.slug) && !seen.has(slug)) agents.push(agent);
    else skipped.push(agent.name);
    seen.add(slug);
  }
  return { agents, skipped };
}
