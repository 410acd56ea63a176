/** What a person at a terminal subscribes to. */
import { v } from 'convex/values';
import { query } from '../_generated/server.js';
import { requireTask } from '../model/tasks.ts';
import { loadThread } from '../model/thread.ts';
import { threadMessage } from '../shapes.ts';
import { personArgs, requirePerson, withPerson } from './access.ts';

const FOLLOWED = 200;

/** The newest messages of a task, oldest first. */
export const thread = query({
  args: { ...personArgs, taskId: v.id('tasks') },
  returns: v.array(threadMessage),
  handler: async (ctx, args) => {
    const { claim, taskId } = await withPerson(args);
    const account = await requirePerson(ctx, claim);
    return await loadThread(ctx, await requireTask(ctx, account, taskId), FOLLOWED);
  },
});
