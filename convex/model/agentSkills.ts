import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import { listAccountAgents } from './agents.ts';
import { failure } from './errors.ts';

export const agentSkills = v.object({
  /** The slug. */
  agentId: v.string(),
  skillIds: v.array(v.id('skills')),
  skillCount: v.number(),
  /** ISO 8601. */
  lastUpdated: v.string(),
});

/** The skills of all agents, or of one; disabled ones too. */
export async function listAgentSkills(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  queryAgentId: Id<'agents'> | undefined,
): Promise<Infer<typeof agentSkills>[]> {
  const agents =
    queryAgentId === undefined
      ? await listAccountAgents(ctx, account._id)
      : [await requireTarget(ctx, account, queryAgentId)];
  return agents.map(({ slug, openclawConfig, lastHeartbeat, createdAt }) => {
    const skillIds = openclawConfig?.skillIds ?? [];
    const lastUpdated = new Date(lastHeartbeat ?? createdAt).toISOString();
    return { agentId: slug, skillIds, skillCount: skillIds.length, lastUpdated };
  });
}

async function requireTarget(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  agentId: Id<'agents'>,
): Promise<Doc<'agents'>> {
  const agent = await ctx.db.get('agents', agentId);
  if (!agent) throw failure('NOT_FOUND', 'Not found: Target agent does not exist');
  if (agent.accountId !== account._id) {
    throw failure('FORBIDDEN', 'Forbidden: Target agent belongs to different account');
  }
  return agent;
}
