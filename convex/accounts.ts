import { v } from 'convex/values';
import { internalMutation } from './_generated/server.js';
import { markStaleOffline } from './model/runtimeStatus.ts';

/** Marks runtimes offline that have not reported for 90 s. Runs every 30 s. @returns how many */
export const markStaleRuntimesOffline = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => await markStaleOffline(ctx),
});
