/** A profile that the runtime published. It comes over a shared directory: all of it is checked again here. */

export interface Profile {
  /** Null: this file is left as it is. */
  soul: string | null;
  identity: string | null;
  user: string | null;
  /** The block in AGENTS.md. */
  agents: string | null;
  skills: Skill[];
  /** Mission Control's word for the model. */
  model: string | null;
}

export interface Skill {
  slug: string;
  description: string;
  content: string;
}

/** Bytes of a profile's file. */
export const LARGEST_PROFILE = 9 * 1_024 * 1_024;
const LARGEST_TEXT = 250_000;
const LARGEST_SKILL = 600 * 1_024;
const MOST_SKILLS = 100;

const SLUG = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * @param note is told in words what is left out
 * @throws Error when it is no profile at all
 */
export function parseProfile(text: string, note: (leftOut: string) => void): Profile {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) {
    throw new Error('it is no profile of version 1');
  }
  const fields = value as Record<string, unknown>;
  const part = (name: string): string | null => {
    const found = fields[name];
    if (typeof found !== 'string') return null;
    if (found.length <= LARGEST_TEXT) return found;
    note(`its ${name} is too long`);
    return null;
  };
  return {
    soul: part('soul'),
    identity: part('identity'),
    user: part('user'),
    agents: part('agents'),
    skills: parseSkills(fields['skills'], note),
    model: part('model'),
  };
}

function parseSkills(value: unknown, note: (leftOut: string) => void): Skill[] {
  const skills = new Map<string, Skill>();
  for (const skill of Array.isArray(value) ? (value as unknown[]) : []) {
    if (!isSkill(skill)) note('a skill that is none');
    else if (!SLUG.test(skill.slug))
      note(`the skill ${JSON.stringify(skill.slug.slice(0, 80))}: its slug cannot be used`);
    else if (Buffer.byteLength(skill.content) > LARGEST_SKILL)
      note(`the skill ${skill.slug}: it is too long`);
    else if (skills.size === MOST_SKILLS) note(`the skill ${skill.slug}: there are over ${MOST_SKILLS}`);
    else if (!skills.has(skill.slug.toLowerCase())) skills.set(skill.slug.toLowerCase(), skill);
  }
  return [...skills.values()];
}

const isSkill = (value: unknown): value is Skill =>
  typeof value === 'object' &&
  value !== null &&
  'slug' in value &&
  typeof value.slug === 'string' &&
  'description' in value &&
  typeof value.description === 'string' &&
  'content' in value &&
  typeof value.content === 'string';

/** What OpenClaw reads: a front matter of our own, and the content without the one that its author wrote. */
export function skillFile({ slug, description, content }: Skill): string {
  const body = content.replace(/^\uFEFF/, '').replace(/^---\r?\n[^]*?\r?\n---[^\S\n]*(?:\r?\n|$)/, '');
  const line = description.replace(/[\p{C}\s]+/gu, ' ').trim();
  return `---\nname: ${slug}\ndescription: ${JSON.stringify(line === '' ? slug : line)}\n---\n\n${body.trimStart()}`;
}
