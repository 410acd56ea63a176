/** What a person does in Mission Control, as far as a local stack without a sign-in needs it. */
import { v } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import { internalMutation, internalQuery } from '../_generated/server.js';
import type { QueryCtx } from '../_generated/server.js';
import { runtimeStatus, upgradeStrategy } from '../enums.ts';
import { findAgent, insertAgent } from '../model/agents.ts';
import { effectiveBehaviorFlags } from '../model/behaviorFlags.ts';
import { failure } from '../model/errors.ts';
import { clampLimit } from '../model/limits.ts';
import { findMember } from '../model/members.ts';
import { postMessage } from '../model/messages.ts';
import { findRuntime, requireRuntime } from '../model/runtimes.ts';
import { DEMO_USER, personClaim, requirePerson } from './access.ts';
import { insertTask, requireTask, tellAssignee } from '../model/tasks.ts';
import { loadThread } from '../model/thread.ts';
import schema from '../schema.ts';
import { behaviorFlags, runtimeConfig, threadMessage } from '../shapes.ts';

export const demoTaskArgs = {
  title: v.string(),
  description: v.optional(v.string()),
  priority: v.optional(v.number()),
  labels: v.optional(v.array(v.string())),
  assignedAgentSlugs: v.optional(v.array(v.string())),
};

export const createTask = internalMutation({
  args: { claim: personClaim, ...demoTaskArgs },
  returns: v.id('tasks'),
  handler: async (ctx, { claim, assignedAgentSlugs = [], ...task }) => {
    const account = await requirePerson(ctx, claim);
    const assignedAgentIds = [];
    for (const slug of assignedAgentSlugs) assignedAgentIds.push((await requireSlug(ctx, account, slug))._id);
    const creator = { type: 'user', id: DEMO_USER.userId, name: DEMO_USER.name } as const;
    return await insertTask(ctx, account, creator, { ...task, assignedAgentIds });
  },
});

/** Agents beside those that are assigned already; a task in the inbox is assigned by that. */
export const assignTask = internalMutation({
  args: { claim: personClaim, taskId: v.id('tasks'), agentSlugs: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, { claim, taskId, agentSlugs }) => {
    const account = await requirePerson(ctx, claim);
    const task = await requireTask(ctx, account, taskId);
    const agents = [];
    for (const slug of new Set(agentSlugs)) agents.push((await requireSlug(ctx, account, slug))._id);
    const added = agents.filter((id) => !task.assignedAgentIds.includes(id));
    await ctx.db.patch('tasks', task._id, {
      assignedAgentIds: [...task.assignedAgentIds, ...added],
      ...(task.status === 'inbox' && added.length > 0 && { status: 'assigned' as const }),
      updatedAt: Date.now(),
    });
    for (const id of added) await tellAssignee(ctx, account._id, { taskId, title: task.title }, id);
    return null;
  },
});

async function requireSlug(ctx: QueryCtx, account: Doc<'accounts'>, slug: string): Promise<Doc<'agents'>> {
  const agent = await findAgent(ctx, account._id, slug);
  if (!agent) throw failure('NOT_FOUND', `Not found: no agent has the slug '${slug}'`);
  return agent;
}

/** An author with a name becomes a member, so that threads and mentions know the name. */
export const postAsUser = internalMutation({
  args: {
    claim: personClaim,
    taskId: v.id('tasks'),
    content: v.string(),
    authorName: v.optional(v.string()),
  },
  returns: v.id('messages'),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    const task = await requireTask(ctx, account, args.taskId);
    const name = args.authorName ?? DEMO_USER.name;
    const userId = name === DEMO_USER.name ? DEMO_USER.userId : `demo-user:${name}`;
    if (!(await findMember(ctx, account._id, userId))) {
      await ctx.db.insert('members', { accountId: account._id, userId, name, role: 'member' });
    }
    const author = { type: 'user', id: userId, name } as const;
    return await postMessage(ctx, account, task, { author, agent: null, content: args.content });
  },
});

export const listThread = internalQuery({
  args: { claim: personClaim, taskId: v.id('tasks'), limit: v.optional(v.number()) },
  returns: v.array(threadMessage),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    const task = await requireTask(ctx, account, args.taskId);
    return await loadThread(ctx, task, clampLimit(args.limit, 200, 1000));
  },
});

export const listTasks = internalQuery({
  args: { claim: personClaim, limit: v.optional(v.number()) },
  returns: v.array(schema.doc('tasks')),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    return await ctx.db
      .query('tasks')
      .withIndex('by_account_updated', (q) => q.eq('accountId', account._id))
      .order('desc')
      .take(clampLimit(args.limit, 200, 1000));
  },
});

export const listNotifications = internalQuery({
  args: { claim: personClaim, limit: v.optional(v.number()) },
  returns: v.array(schema.doc('notifications')),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    return await ctx.db
      .query('notifications')
      .withIndex('by_account', (q) => q.eq('accountId', account._id))
      .order('desc')
      .take(clampLimit(args.limit, 100, 1000));
  },
});

export const addAgent = internalMutation({
  args: { claim: personClaim, slug: v.string(), name: v.string(), role: v.string() },
  returns: v.id('agents'),
  handler: async (ctx, { claim, ...agent }) => {
    const account = await requirePerson(ctx, claim);
    return await insertAgent(ctx, account._id, agent);
  },
});

/** Who an agent is and what it may do. Fields that are left out stay unchanged. */
export const profileArgs = {
  slug: v.string(),
  soulContent: v.optional(v.string()),
  model: v.optional(v.string()),
  /** Minutes. */
  heartbeatInterval: v.optional(v.number()),
  behaviorFlags: v.optional(behaviorFlags.partial()),
  /** All of its skills, by their slugs in the account. Skills that do not exist yet are created. */
  skills: v.optional(
    v.array(v.object({ slug: v.string(), contentMarkdown: v.string(), isEnabled: v.optional(v.boolean()) })),
  ),
};

export const setProfile = internalMutation({
  args: { claim: personClaim, ...profileArgs },
  returns: v.null(),
  handler: async (
    ctx,
    { claim, slug, soulContent, model, heartbeatInterval, behaviorFlags: flags, skills },
  ) => {
    const account = await requirePerson(ctx, claim);
    const agent = await findAgent(ctx, account._id, slug);
    if (!agent?.openclawConfig) throw failure('NOT_FOUND', `There is no agent with the slug '${slug}'`);
    const openclawConfig = { ...agent.openclawConfig };
    if (model !== undefined) openclawConfig.model = model;
    if (flags) openclawConfig.behaviorFlags = { ...effectiveBehaviorFlags(account, agent), ...flags };
    if (skills !== undefined) {
      openclawConfig.skillIds = [];
      for (const { isEnabled = true, ...skill } of skills) {
        const fields = { ...skill, name: skill.slug, isEnabled, accountId: account._id };
        const known = await ctx.db
          .query('skills')
          .withIndex('by_account', (q) => q.eq('accountId', account._id).eq('slug', skill.slug))
          .unique();
        if (known !== null) await ctx.db.patch('skills', known._id, fields);
        openclawConfig.skillIds.push(known?._id ?? (await ctx.db.insert('skills', fields)));
      }
    }
    await ctx.db.patch('agents', agent._id, {
      openclawConfig,
      ...(soulContent !== undefined && { soulContent }),
      ...(heartbeatInterval !== undefined && { heartbeatInterval }),
    });
    return null;
  },
});

export const requestUpgrade = internalMutation({
  args: {
    claim: personClaim,
    targetOpenclawVersion: v.optional(v.string()),
    targetRuntimeVersion: v.string(),
    strategy: upgradeStrategy,
  },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    const runtime = await requireRuntime(ctx, account._id);
    const now = Date.now();
    await ctx.db.patch('runtimes', runtime._id, {
      pendingUpgrade: {
        targetOpenclawVersion: args.targetOpenclawVersion ?? runtime.openclawVersion,
        targetRuntimeVersion: args.targetRuntimeVersion,
        initiatedAt: now,
        initiatedBy: DEMO_USER.userId,
        strategy: args.strategy,
      },
      updatedAt: now,
    });
    return null;
  },
});

export const requestRestart = internalMutation({
  args: { claim: personClaim },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    await ctx.db.patch('accounts', account._id, { restartRequestedAt: Date.now() });
    return null;
  },
});

export const runtimeView = v.object({
  account: v.object({
    runtimeStatus,
    runtimeConfig: v.optional(runtimeConfig),
    restartRequestedAt: v.optional(v.number()),
  }),
  /** null before the runtime's first report. */
  runtime: v.union(schema.doc('runtimes'), v.null()),
});

export const showRuntime = internalQuery({
  args: { claim: personClaim },
  returns: runtimeView,
  handler: async (ctx, args) => {
    const account = await requirePerson(ctx, args.claim);
    const { runtimeStatus, runtimeConfig, restartRequestedAt } = account;
    return {
      account: { runtimeStatus, runtimeConfig, restartRequestedAt },
      runtime: await findRuntime(ctx, account._id),
    };
  },
});
