/** Whom a message mentions: `@slug`, `@"name"` and `@all`. */
import type { Doc } from '../_generated/dataModel.js';
import type { Mention } from '../shapes.ts';

// An @ inside a word is an address, not a mention.
const MENTION = /(?<![\p{L}\p{N}_.@-])@(?:"([^"\n]+)"|([\p{L}\p{N}][\p{L}\p{N}_-]*))/gu;

/** The words after each @, in lower case and without quotes. */
export function mentionedNames(content: string): string[] {
  return Array.from(content.matchAll(MENTION), (match) => (match[1] ?? match[2] ?? '').trim().toLowerCase());
}

/**
 * The members and agents that a message mentions, each once, never its author.
 * @param authorId a member's subject or an agent's id
 */
export function resolveMentions(
  content: string,
  members: Doc<'members'>[],
  agents: Doc<'agents'>[],
  authorId: string,
): Mention[] {
  const names = new Set(mentionedNames(content));
  const all = names.has('all');
  const everyone: Mention[] = [
    ...members.map((member): Mention => ({ type: 'user', id: member.userId, name: member.name })),
    ...agents.map((agent): Mention => ({ type: 'agent', id: agent._id, name: agent.name, slug: agent.slug })),
  ];
  return everyone.filter(
    ({ id, name, slug }) =>
      id !== authorId &&
      (all || names.has(name.toLowerCase()) || (slug !== undefined && names.has(slug.toLowerCase()))),
  );
}
