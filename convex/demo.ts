/**
 * Mission Control for one person at a terminal. It does what the web page does for a signed-in user, with the service token.
 * Actions all, as in service/actions.ts and with the same errors.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { internal } from './_generated/api.js';
import type { Id } from './_generated/dataModel.js';
import { action } from './_generated/server.js';
import { upgradeStrategy } from './enums.ts';
import { serviceArgs, withClaim } from './model/serviceToken.ts';
import { demoTaskArgs, profileArgs, runtimeView } from './people.ts';
import schema from './schema.ts';
import { threadMessage } from './shapes.ts';

/** Creates a task, in the inbox or assigned to the agents with the given slugs. */
export const createTask = action({
  args: { ...serviceArgs, ...demoTaskArgs },
  returns: v.object({ taskId: v.id('tasks') }),
  handler: async (ctx, args): Promise<{ taskId: Id<'tasks'> }> => {
    return { taskId: await ctx.runMutation(internal.people.createTask, await withClaim(args)) };
  },
});

/** Writes in a thread as the demo user, or as a member of the given name. */
export const postMessage = action({
  args: {
    ...serviceArgs,
    taskId: v.id('tasks'),
    content: v.string(),
    authorName: v.optional(v.string()),
  },
  returns: v.object({ messageId: v.id('messages') }),
  handler: async (ctx, args): Promise<{ messageId: Id<'messages'> }> => {
    const messageId = await ctx.runMutation(internal.people.postAsUser, await withClaim(args));
    return { messageId };
  },
});

const thread = v.array(threadMessage);

/** The newest messages of a task (200, at most 1000), oldest first. */
export const listThread = action({
  args: { ...serviceArgs, taskId: v.id('tasks'), limit: v.optional(v.number()) },
  returns: thread,
  handler: async (ctx, args): Promise<Infer<typeof thread>> => {
    return await ctx.runQuery(internal.people.listThread, await withClaim(args));
  },
});

const tasks = v.array(schema.doc('tasks'));

/** Tasks (200, at most 1000), the last touched first. */
export const listTasks = action({
  args: { ...serviceArgs, limit: v.optional(v.number()) },
  returns: tasks,
  handler: async (ctx, args): Promise<Infer<typeof tasks>> => {
    return await ctx.runQuery(internal.people.listTasks, await withClaim(args));
  },
});

const notifications = v.array(schema.doc('notifications'));

/** Rows of all recipients, delivered or not (100, at most 1000), newest first. */
export const listNotifications = action({
  args: { ...serviceArgs, limit: v.optional(v.number()) },
  returns: notifications,
  handler: async (ctx, args): Promise<Infer<typeof notifications>> => {
    return await ctx.runQuery(internal.people.listNotifications, await withClaim(args));
  },
});

export const addAgent = action({
  args: { ...serviceArgs, slug: v.string(), name: v.string(), role: v.string() },
  returns: v.object({ agentId: v.id('agents') }),
  handler: async (ctx, args): Promise<{ agentId: Id<'agents'> }> => {
    return { agentId: await ctx.runMutation(internal.people.addAgent, await withClaim(args)) };
  },
});

/** Says who an agent is: its soul, its skills, its model. */
export const setProfile = action({
  args: { ...serviceArgs, ...profileArgs },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> => {
    return await ctx.runMutation(internal.people.setProfile, await withClaim(args));
  },
});

/** Asks the runtime to move to other versions; it must have reported once. */
export const requestUpgrade = action({
  args: {
    ...serviceArgs,
    targetOpenclawVersion: v.optional(v.string()),
    targetRuntimeVersion: v.string(),
    strategy: upgradeStrategy,
  },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> => {
    return await ctx.runMutation(internal.people.requestUpgrade, await withClaim(args));
  },
});

export const requestRestart = action({
  args: serviceArgs,
  returns: v.null(),
  handler: async (ctx, args): Promise<null> =>
    await ctx.runMutation(internal.people.requestRestart, await withClaim(args)),
});

/** The runtime's row with its upgrade history, and what the account says of it. */
export const showRuntime = action({
  args: serviceArgs,
  returns: runtimeView,
  handler: async (ctx, args): Promise<Infer<typeof runtimeView>> =>
    await ctx.runQuery(internal.people.showRuntime, await withClaim(args)),
});
