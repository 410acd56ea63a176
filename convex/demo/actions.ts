/**
 * Mission Control for one person at a terminal. It does what the web page does for a signed-in user, with the person's
 * token. All of them are actions, as in service/actions.ts, with the same errors.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { internal } from '../_generated/api.js';
import type { Id } from '../_generated/dataModel.js';
import { action } from '../_generated/server.js';
import { upgradeStrategy } from '../enums.ts';
import { personArgs, withPerson } from './access.ts';
import { demoTaskArgs, profileArgs, runtimeView } from './people.ts';
import schema from '../schema.ts';
import { threadMessage } from '../shapes.ts';

/** Creates a task, in the inbox or assigned to the agents with the given slugs. */
export const createTask = action({
  args: { ...personArgs, ...demoTaskArgs },
  returns: v.object({ taskId: v.id('tasks') }),
  handler: async (ctx, args): Promise<{ taskId: Id<'tasks'> }> => {
    return { taskId: await ctx.runMutation(internal.demo.people.createTask, await withPerson(args)) };
  },
});

/** Assigns agents by their slugs, beside those that are assigned already. */
export const assignTask = action({
  args: { ...personArgs, taskId: v.id('tasks'), agentSlugs: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> =>
    await ctx.runMutation(internal.demo.people.assignTask, await withPerson(args)),
});

/** Writes in a thread as the demo user, or as a member of the given name. */
export const postMessage = action({
  args: {
    ...personArgs,
    taskId: v.id('tasks'),
    content: v.string(),
    authorName: v.optional(v.string()),
  },
  returns: v.object({ messageId: v.id('messages') }),
  handler: async (ctx, args): Promise<{ messageId: Id<'messages'> }> => {
    const messageId = await ctx.runMutation(internal.demo.people.postAsUser, await withPerson(args));
    return { messageId };
  },
});

const thread = v.array(threadMessage);

/** The newest messages of a task (200, at most 1000), oldest first. */
export const listThread = action({
  args: { ...personArgs, taskId: v.id('tasks'), limit: v.optional(v.number()) },
  returns: thread,
  handler: async (ctx, args): Promise<Infer<typeof thread>> => {
    return await ctx.runQuery(internal.demo.people.listThread, await withPerson(args));
  },
});

const tasks = v.array(schema.doc('tasks'));

/** Tasks (200, at most 1000), the last touched first. */
export const listTasks = action({
  args: { ...personArgs, limit: v.optional(v.number()) },
  returns: tasks,
  handler: async (ctx, args): Promise<Infer<typeof tasks>> => {
    return await ctx.runQuery(internal.demo.people.listTasks, await withPerson(args));
  },
});

const notifications = v.array(schema.doc('notifications'));

/** Rows of all recipients, delivered or not (100, at most 1000), newest first. */
export const listNotifications = action({
  args: { ...personArgs, limit: v.optional(v.number()) },
  returns: notifications,
  handler: async (ctx, args): Promise<Infer<typeof notifications>> => {
    return await ctx.runQuery(internal.demo.people.listNotifications, await withPerson(args));
  },
});

export const addAgent = action({
  args: { ...personArgs, slug: v.string(), name: v.string(), role: v.string() },
  returns: v.object({ agentId: v.id('agents') }),
  handler: async (ctx, args): Promise<{ agentId: Id<'agents'> }> => {
    return { agentId: await ctx.runMutation(internal.demo.people.addAgent, await withPerson(args)) };
  },
});

/** Says who an agent is and what it may do: its soul, its skills, its model, its flags, its heartbeat. */
export const setProfile = action({
  args: { ...personArgs, ...profileArgs },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> => {
    return await ctx.runMutation(internal.demo.people.setProfile, await withPerson(args));
  },
});

/** Asks the runtime to move to other versions; it must have reported once. */
export const requestUpgrade = action({
  args: {
    ...personArgs,
    targetOpenclawVersion: v.optional(v.string()),
    targetRuntimeVersion: v.string(),
    strategy: upgradeStrategy,
  },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> => {
    return await ctx.runMutation(internal.demo.people.requestUpgrade, await withPerson(args));
  },
});

export const requestRestart = action({
  args: personArgs,
  returns: v.null(),
  handler: async (ctx, args): Promise<null> =>
    await ctx.runMutation(internal.demo.people.requestRestart, await withPerson(args)),
});

/** The runtime's row with its upgrade history, and the account's own record of the runtime. */
export const showRuntime = action({
  args: personArgs,
  returns: runtimeView,
  handler: async (ctx, args): Promise<Infer<typeof runtimeView>> =>
    await ctx.runQuery(internal.demo.people.showRuntime, await withPerson(args)),
});
