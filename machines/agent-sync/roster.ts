import type { AgentRow } from '../shared/mission-control.ts';

/**
 * Slugs come from people and end in headers, keys and paths: only what OpenClaw takes for an agent's id as it is is
 * let through. It would turn `-lead` into `lead` without a word, and a message for the one would reach the other.
 */
const SLUG = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Every object of JavaScript has these: no key of a configuration. */
const RESERVED = new Set(['constructor', 'prototype']);

/** Nobody needs a longer name to tell agents apart. */
const LONGEST_NAME = 100;

/** What the gateway is told about an agent. */
export interface RosterEntry {
  slug: string;
  /** One line. */
  name: string;
}

/** The agents that can be spoken to, and the names of the others. The gateway lower-cases slugs, so twins are left out. */
export function usableAgents(all: readonly AgentRow[]): { agents: AgentRow[]; skipped: string[] } {
  const seen = new Set<string>();
  const agents: AgentRow[] = [];
  const skipped: string[] = [];
  for (const agent of all) {
    const slug = agent.slug.toLowerCase();
    if (SLUG.test(agent.slug) && !RESERVED.has(slug) && !seen.has(slug)) agents.push(agent);
    else skipped.push(agent.name);
    seen.add(slug);
  }
  return { agents, skipped };
}

/** @param agents usable ones; @returns them as the gateway is told of them, in an order that is always the same */
export const rosterOf = (agents: readonly AgentRow[]): RosterEntry[] =>
  agents
    .map(({ slug, name }) => ({ slug, name: oneLine(name) || slug }))
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));

const oneLine = (text: string): string =>
  text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME);
