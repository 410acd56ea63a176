import * as path from 'node:path';
import { at, isObject, type JsonObject } from './json.ts';

/** An agent of Mission Control, as the runtime writes it into the roster. */
export interface RosterAgent {
  slug: string;
  name: string;
}

/** What OpenClaw takes for an agent's id as it is; anything else it would quietly turn into another id. */
const AGENT_ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Every object of JavaScript has these: no key of a configuration. */
const RESERVED = new Set(['constructor', 'prototype']);

/**
 * Reads the roster that the runtime wrote. It comes over a shared directory: what it holds is checked again here.
 *
 * @returns the agents that can be taken over, by their id in OpenClaw
 * @throws Error when it is no roster at all
 */
export function parseRoster(text: string): Map<string, RosterAgent> {
  const roster: unknown = JSON.parse(text);
  if (
    typeof roster !== 'object' ||
    roster === null ||
    !('agents' in roster) ||
    !Array.isArray(roster.agents)
  ) {
    throw new Error('it has no list of agents');
  }
  const agents = new Map<string, RosterAgent>();
  for (const agent of (roster.agents as unknown[]).filter(isAgent)) {
    const id = agent.slug.toLowerCase();
    if (AGENT_ID.test(id) && !RESERVED.has(id) && !agents.has(id)) agents.set(id, agent);
  }
  return agents;
}

const isAgent = (entry: unknown): entry is RosterAgent =>
  typeof entry === 'object' &&
  entry !== null &&
  'slug' in entry &&
  typeof entry.slug === 'string' &&
  'name' in entry &&
  typeof entry.name === 'string';

/**
 * What has to be merged into the configuration so that it holds the roster: new agents, and new names. An entry of
 * somebody else is left alone, and none is ever taken away: its workspace and its sessions belong to it.
 *
 * @param workspaces the directory in which each agent has one of its own
 * @returns null when there is nothing to do
 */
export function rosterPatch(
  config: JsonObject,
  roster: ReadonlyMap<string, RosterAgent>,
  workspaces: string,
): JsonObject | null {
  const entries: JsonObject = {};
  for (const [id, agent] of roster) {
    const workspace = path.join(workspaces, id);
    const name = plain(agent.name);
    const known = at(config, 'agents', 'entries', id);
    if (isObject(known) && (known['workspace'] !== workspace || known['name'] === name)) continue;
    entries[id] = { name, workspace };
  }
  return Object.keys(entries).length === 0 ? null : { agents: { entries } };
}

/** OpenClaw puts the value of a variable where a text says `${VARIABLE}`: a name is not to show a secret. */
const plain = (name: string): string => name.replaceAll('${', '{');
