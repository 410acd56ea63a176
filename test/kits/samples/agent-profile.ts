import type { AgentProfile } from '../../../machines/shared/mission-control.ts';

export const agentProfile = (slug: string, more: Partial<AgentProfile> = {}): AgentProfile => ({
  _id: slug,
  name: slug,
  slug,
  role: 'r',
  effectiveSoulContent: 'soul',
  effectiveUserMd: 'user',
  effectiveIdentityContent: 'identity',
  resolvedSkills: [],
  ...more,
});
