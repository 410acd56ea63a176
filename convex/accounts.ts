import { v } from 'convex/values';
import { internalMutation } from './_generated/server.js';
import { markStaleOffline } from './model/runtimeStatus.ts';

/** Calls runtimes offline that have not reported for 90 s; @returns how many. Run every 30 s. */
export const markStaleRuntimesOffline = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => await markStaleOffline(ctx),
});
