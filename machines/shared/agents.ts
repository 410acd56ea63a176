import type { AgentRow } from './mission-control.ts';

/**
 * People choose slugs, and slugs end up in headers, keys and paths. Only a slug that OpenClaw takes as an agent's id
 * unchanged is used. OpenClaw would silently turn `-lead` into `lead`, and a message for one would reach the other.
 */
const SLUG = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Every JavaScript object has these properties, so they cannot be keys of a configuration. */
const RESERVED = new Set(['constructor', 'prototype']);

/** A longer name is cut. */
const LONGEST_NAME = 100;

/**
 * The agents that the gateway can run, and the names of the others. The gateway lower-cases slugs, so the second of two
 * slugs that differ only in case is left out.
 */
export function usableAgents<T extends Pick<AgentRow, 'slug' | 'name'>>(
  all: readonly T[],
): { agents: T[]; skipped: string[] } {
  const seen = new Set<string>();
  const agents: T[] = [];
  const skipped: string[] = [];
  for (const agent of all) {
    const slug = agent.slug.toLowerCase();
    if (SLUG.test(agent.slug) && !RESERVED.has(slug) && !seen.has(slug)) agents.push(agent);
    else skipped.push(agent.name);
    seen.add(slug);
  }
  return { agents, skipped };
}

/** One line without control characters. */
export const oneLine = (text: string, longest = LONGEST_NAME): string =>
  text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, longest);
