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

/**
 * @param known slugs of the agents that the gateway knows, which it writes in lower case; null or none where it does not tell
 * @returns slugs of the agents that it lacks
 */
export function missingFrom(known: readonly string[] | null, roster: readonly RosterEntry[]): string[] {
  if (known === null || known.length === 0) return [];
  const has = new Set(known.map((slug) => slug.toLowerCase()));
  return roster.map(({ slug }) => slug).filter((slug) => !has.has(slug.toLowerCase()));
}

/** More names than this are counted. */
const MOST_NAMED = 10;

/** For an operator: who is missing, and what to do. */
export function missingSentence(missing: readonly string[]): string {
  const named = missing.slice(0, MOST_NAMED).map((slug) => `@${slug}`);
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  const who = missing.length === 1 ? `the agent ${named.join()}` : `the agents ${named.join(', ')}${more}`;
  return (
    `The gateway does not know ${who}, so messages to ${missing.length === 1 ? 'it' : 'them'} are given up: add ` +
    `${missing.length === 1 ? 'it' : 'them'} to agents.entries in the gateway's openclaw.json. A gateway that takes the agents ` +
    `over by itself says in its log why it has not.`
  );
}
