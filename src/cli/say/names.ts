import { closest } from 'fastest-levenshtein';
import { mentionedNames } from '../../../convex/model/mentions.ts';

export interface Agent {
  _id: string;
  slug: string;
  name: string;
}

export interface Named {
  /** The agents that the text asks. */
  asked: Agent[];
  /** One sentence for each @name that nobody has. */
  unknown: string[];
}

/** @param people names of members, who may be mentioned as well */
export function readNames(text: string, agents: readonly Agent[], people: readonly string[] = []): Named {
  const names = mentionedNames(text);
  const isOf = (agent: Agent, name: string): boolean =>
    name === agent.slug.toLowerCase() || name === agent.name.toLowerCase();
  const asked = names.includes('all')
    ? [...agents]
    : agents.filter((agent) => names.some((name) => isOf(agent, name)));
  const known = (name: string): boolean =>
    name === 'all' ||
    agents.some((agent) => isOf(agent, name)) ||
    people.some((one) => one.toLowerCase() === name);
  return { asked, unknown: names.filter((name) => !known(name)).map((name) => nobody(name, agents)) };
}

function nobody(name: string, agents: readonly Agent[]): string {
  const slugs = agents.map(({ slug }) => slug);
  if (slugs.length === 0) return `There is no agent @${name}: the account has no agents.`;
  const all = slugs.map((slug) => `@${slug}`).join(', ');
  return `There is no agent @${name}: did you mean @${closest(name, slugs)}? The agents are ${all}.`;
}
