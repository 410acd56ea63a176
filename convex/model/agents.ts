import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import { failure } from './errors.ts';

const MAX_AGENTS = 500;
const DEFAULT_HEARTBEAT_MINUTES = 15;

/** The agents of an account, by slug. */
export async function listAccountAgents(ctx: QueryCtx, accountId: Id<'accounts'>): Promise<Doc<'agents'>[]> {
  return await ctx.db
    .query('agents')
    .withIndex('by_account_slug', (q) => q.eq('accountId', accountId))
    .take(MAX_AGENTS);
}

/** @throws NOT_FOUND or FORBIDDEN when the agent is not one of the account's */
export async function requireAgent(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  agentId: Id<'agents'>,
): Promise<Doc<'agents'>> {
  const agent = await ctx.db.get('agents', agentId);
  if (!agent) throw failure('NOT_FOUND', 'Not found: Agent does not exist');
  if (agent.accountId !== account._id) {
    throw failure('FORBIDDEN', 'Forbidden: Agent belongs to different account');
  }
  return agent;
}

/** @param doing completes "Only the orchestrator can ..." */
export function requireOrchestrator(account: Doc<'accounts'>, agent: Doc<'agents'>, doing: string): void {
  if (account.settings?.orchestratorAgentId !== agent._id) {
    throw failure('FORBIDDEN', `Forbidden: Only the orchestrator can ${doing}`);
  }
}

/** The agent with this slug, or null. */
export async function findAgent(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
  slug: string,
): Promise<Doc<'agents'> | null> {
  return await ctx.db
    .query('agents')
    .withIndex('by_account_slug', (q) => q.eq('accountId', accountId).eq('slug', slug))
    .first();
}

/** Adds an agent with the contract's default configuration. @throws INVALID when the slug is taken or unusable */
export async function insertAgent(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  agent: { slug: string; name: string; role: string },
): Promise<Id<'agents'>> {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(agent.slug)) {
    throw failure('INVALID', 'Invalid slug: use 1 to 64 lower-case letters, digits and hyphens');
  }
  if (await findAgent(ctx, accountId, agent.slug)) {
    throw failure('INVALID', `Invalid slug: an agent with the slug '${agent.slug}' exists already`);
  }
  return await ctx.db.insert('agents', {
    accountId,
    ...agent,
    status: 'offline',
    heartbeatInterval: DEFAULT_HEARTBEAT_MINUTES,
    openclawConfig: {
      model: 'minimax-m2.5',
      temperature: 0.7,
      maxTokens: 4096,
      skillIds: [],
      contextConfig: { maxHistoryMessages: 50, includeTaskContext: true, includeTeamContext: true },
    },
    createdAt: Date.now(),
  });
}
