/** Agents as a runtime sees them: roster, profiles, work, heartbeats. */
import { v } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import { internalMutation, internalQuery } from '../_generated/server.js';
import type { QueryCtx } from '../_generated/server.js';
import { agentStatus, taskStatus } from '../enums.ts';
import { logActivity } from '../model/activities.ts';
import { listAccountAgents, requireAgent } from '../model/agents.ts';
import { effectiveBehaviorFlags } from '../model/behaviorFlags.ts';
import { clampLimit } from '../model/limits.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { ensureSession } from '../model/sessions.ts';
import { requireTask } from '../model/tasks.ts';
import schema from '../schema.ts';
import { behaviorFlags, openclawConfig } from '../shapes.ts';

/** How many of the newest tasks are searched for assignments, because Convex has no index over array elements. */
const ASSIGNMENT_SCAN = 1000;

export const rosterAgent = schema.doc('agents').extend({
  systemSessionKey: v.string(),
  effectiveBehaviorFlags: behaviorFlags,
});

/** A mutation: it opens the system session of an agent that has none. */
export const list = internalMutation({
  args: { claim: serviceClaim },
  returns: v.array(rosterAgent),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const roster = [];
    for (const agent of await listAccountAgents(ctx, account._id)) {
      roster.push({
        ...agent,
        systemSessionKey: await ensureSession(ctx, agent),
        effectiveBehaviorFlags: effectiveBehaviorFlags(account, agent),
      });
    }
    return roster;
  },
});

const skill = schema.doc('skills').pick('_id', 'name', 'slug', 'description', 'contentMarkdown');

export const agentProfile = v.object({
  _id: v.id('agents'),
  name: v.string(),
  slug: v.string(),
  role: v.string(),
  openclawConfig: v.optional(openclawConfig),
  effectiveSoulContent: v.string(),
  effectiveUserMd: v.string(),
  effectiveIdentityContent: v.string(),
  resolvedSkills: v.array(skill),
});

export const listProfiles = internalQuery({
  args: { claim: serviceClaim },
  returns: v.array(agentProfile),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const profiles = [];
    for (const agent of await listAccountAgents(ctx, account._id)) {
      const { _id, name, slug, role } = agent;
      profiles.push({
        _id,
        name,
        slug,
        role,
        openclawConfig: agent.openclawConfig,
        effectiveSoulContent: agent.soulContent ?? `You are ${name}, ${role}.`,
        effectiveUserMd: account.settings?.userMd ?? '',
        effectiveIdentityContent: agent.identityContent ?? `Name: ${name}\nRole: ${role}`,
        resolvedSkills: await enabledSkills(ctx, agent),
      });
    }
    return profiles;
  },
});

async function enabledSkills(ctx: QueryCtx, agent: Doc<'agents'>) {
  const skills = [];
  for (const skillId of agent.openclawConfig?.skillIds ?? []) {
    const found = await ctx.db.get('skills', skillId);
    if (found?.accountId !== agent.accountId || !found.isEnabled) continue;
    const { _id, name, slug, description, contentMarkdown } = found;
    skills.push({ _id, name, slug, description, contentMarkdown });
  }
  return skills;
}

export const getOrchestratorId = internalQuery({
  args: { claim: serviceClaim },
  returns: v.union(v.id('agents'), v.null()),
  handler: async (ctx, args) => (await requireAccount(ctx, args.claim)).settings?.orchestratorAgentId ?? null,
});

export const listAssignedTasks = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    includeDone: v.optional(v.boolean()),
    limit: v.optional(v.number()),
  },
  returns: v.array(schema.doc('tasks')),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const agent = await requireAgent(ctx, account, args.agentId);
    const newest = await ctx.db
      .query('tasks')
      .withIndex('by_account_updated', (q) => q.eq('accountId', account._id))
      .order('desc')
      .take(ASSIGNMENT_SCAN);
    return newest
      .filter(
        ({ assignedAgentIds, status }) =>
          assignedAgentIds.includes(agent._id) && (args.includeDone === true || status !== 'done'),
      )
      .slice(0, clampLimit(args.limit, 50, 200));
  },
});

export const listTasksByStatus = internalQuery({
  args: { claim: serviceClaim, statuses: v.array(taskStatus), limit: v.optional(v.number()) },
  returns: v.array(schema.doc('tasks')),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const limit = clampLimit(args.limit, 50, 200);
    const found = [];
    for (const status of new Set(args.statuses)) {
      const tasks = await ctx.db
        .query('tasks')
        .withIndex('by_account_status_updated', (q) => q.eq('accountId', account._id).eq('status', status))
        .order('desc')
        .take(limit);
      found.push(...tasks);
    }
    return found.sort((a, b) => b.updatedAt - a.updatedAt).slice(0, limit);
  },
});

export const heartbeat = internalMutation({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    status: agentStatus,
    currentTaskId: v.optional(v.id('tasks')),
  },
  /** The time of the heartbeat. */
  returns: v.number(),
  handler: async (ctx, { claim, agentId, status, currentTaskId }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    if (currentTaskId) await requireTask(ctx, account, currentTaskId);
    const now = Date.now();
    await ctx.db.patch('agents', agent._id, { status, currentTaskId, lastHeartbeat: now });
    if (status !== agent.status) {
      await logActivity(
        ctx,
        account._id,
        'agent_status_changed',
        { type: 'agent', id: agent._id, name: agent.name },
        { type: 'agent', id: agent._id, name: agent.name },
      );
    }
    return now;
  },
});
