import type { Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import type { ActivityMeta } from '../shapes.ts';

export interface Actor {
  type: 'user' | 'agent' | 'system';
  id: string;
  name: string;
}

export const SYSTEM: Actor = { type: 'system', id: 'system', name: 'System' };

export interface Target {
  type: 'task' | 'message' | 'document' | 'agent' | 'account';
  id: string;
  name?: string;
}

/** Writes one line of the account's activity log. */
export async function logActivity(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  type: string,
  actor: Actor,
  target: Target,
  meta?: ActivityMeta,
): Promise<void> {
  await ctx.db.insert('activities', {
    accountId,
    type,
    actorType: actor.type,
    actorId: actor.id,
    actorName: actor.name,
    targetType: target.type,
    targetId: target.id,
    targetName: target.name,
    meta,
    createdAt: Date.now(),
  });
}
