import type { AgentProfile } from '../shared/mission-control.ts';
import { oneLine, usableAgents } from '../shared/agents.ts';

/** What the gateway's side writes into an agent's workspace. A part that is null is left there as it is. */
export interface Profile {
  version: 1;
  slug: string;
  soul: string | null;
  identity: string | null;
  user: string | null;
  /** The block in AGENTS.md. */
  agents: string;
  skills: ProfileSkill[];
  /** Mission Control's word for the model; the gateway's side maps it, or leaves it alone. */
  model: string | null;
}

interface ProfileSkill {
  slug: string;
  name: string;
  description: string;
  content: string;
}

/** Characters; the backend has no limit for a soul. */
const LONGEST_TEXT = 50_000;
/** Characters: the user's text is in every prompt of every agent. */
const LONGEST_USER_TEXT = 4_000;
/** UTF-8 bytes, as the backend's own limit. */
const LARGEST_SKILL = 512 * 1_024;
const MOST_SKILLS = 100;
const LARGEST_PROFILE = 8 * 1_024 * 1_024;
/** Characters of a skill's description, which OpenClaw puts into every prompt. */
const LONGEST_DESCRIPTION = 300;

const CUT = '\n\n[Cut here: Mission Control allows 4,000 characters of this text in a workspace.]\n';

/** As for agents: it becomes the name of a directory. */
const SKILL_SLUG = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * @param all rows of `listAgentsForRuntime`: what people wrote, unchecked
 * @returns the profiles that can be published, in a steady order, and in words what of them is left out
 */
export function profilesOf(all: readonly AgentProfile[]): { profiles: Profile[]; leftOut: string[] } {
  const { agents, skipped } = usableAgents(all);
  const leftOut = skipped.map((name) => `the agent ${oneLine(name)}: its slug cannot be used`);
  const profiles = agents
    .toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
    .map((agent) => profileOf(agent, agents, (what) => leftOut.push(`${what} of @${agent.slug}`)));
  return { profiles, leftOut };
}

function profileOf(
  agent: AgentProfile,
  team: readonly AgentProfile[],
  leaveOut: (what: string) => void,
): Profile {
  const capped = (what: string, text: string): string | null => {
    if (text.length <= LONGEST_TEXT) return text;
    leaveOut(`the ${what} (over ${LONGEST_TEXT} characters)`);
    return null;
  };
  const user = agent.effectiveUserMd;
  const profile: Profile = {
    version: 1,
    slug: agent.slug,
    soul: capped('soul', agent.effectiveSoulContent),
    identity: capped('identity', agent.effectiveIdentityContent),
    user: user.length <= LONGEST_USER_TEXT ? user : user.slice(0, LONGEST_USER_TEXT - CUT.length) + CUT,
    agents: rulesFor(agent, team),
    skills: skillsOf(agent, leaveOut),
    model: agent.openclawConfig?.model ?? null,
  };
  while (profile.skills.length > 0 && sizeOf(JSON.stringify(profile)) > LARGEST_PROFILE) {
    const last = profile.skills.pop();
    leaveOut(`the skill ${last?.slug ?? ''} (the profile would be over 8 MiB)`);
  }
  return profile;
}

function skillsOf(agent: AgentProfile, leaveOut: (what: string) => void): ProfileSkill[] {
  const seen = new Set<string>();
  const skills: ProfileSkill[] = [];
  for (const { slug, name, description, contentMarkdown: content } of agent.resolvedSkills) {
    // Without content there is nothing to write.
    if (content === undefined || content.trim() === '') continue;
    const why = !SKILL_SLUG.test(slug)
      ? 'its slug cannot be used'
      : seen.has(slug.toLowerCase())
        ? 'its slug is taken'
        : sizeOf(content) > LARGEST_SKILL
          ? 'over 512 KiB'
          : skills.length === MOST_SKILLS
            ? `there are over ${MOST_SKILLS}`
            : null;
    if (why !== null) {
      leaveOut(`the skill ${oneLine(slug)} (${why})`);
      continue;
    }
    seen.add(slug.toLowerCase());
    skills.push({
      slug,
      name: oneLine(name),
      description: oneLine(description ?? name, LONGEST_DESCRIPTION),
      content,
    });
  }
  return skills;
}

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** Who the agent is in Mission Control, and who works there beside it. */
function rulesFor(agent: AgentProfile, team: readonly AgentProfile[]): string {
  const line = ({ slug, name, role }: AgentProfile): string =>
    `- @${slug}: ${oneLine(name)}, ${oneLine(role)}`;
  const others = team
    .filter(({ slug }) => slug !== agent.slug)
    .toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
  return [
    '# Mission Control',
    '',
    `You are @${agent.slug} (${oneLine(agent.name)}, ${oneLine(agent.role)}). Your tasks and their threads are in Mission Control;`,
    'each message tells what to do there and how to answer.',
    ...(others.length === 0 ? [] : ['', 'Your colleagues:', '', ...others.map(line)]),
    '',
  ].join('\n');
}
