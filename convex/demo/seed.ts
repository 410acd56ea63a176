import { v } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import { internalMutation } from '../_generated/server.js';
import type { MutationCtx } from '../_generated/server.js';
import { insertAgent } from '../model/agents.ts';
import { insertTask, ORCHESTRATOR_CHAT_LABEL } from '../model/tasks.ts';
import { findMember } from '../model/members.ts';
import { DEMO_USER } from './access.ts';

/** Of the account that a local stack begins with. */
const SLUG = 'demo';
const BATCH = 100;

const CREATOR = { type: 'user', id: DEMO_USER.userId, name: DEMO_USER.name } as const;

const DOCUMENTS = [
  { title: 'Repository — Primary', content: 'A demo account: there is no repository behind it.' },
  { title: 'Account Briefing', content: 'This account shows how Mission Control and its runtime work.' },
];

const seeded = v.object({
  accountId: v.id('accounts'),
  tasks: v.array(v.object({ _id: v.id('tasks'), title: v.string() })),
});

/**
 * A small account to look at: three agents, one person, four tasks, two documents, a skill, and nothing to deliver yet. A
 * second call makes nothing new and only sets the tokens.
 * @param hashes SHA-256 of the secret of the service's and of the person's token, lower-case hex
 * @param slug of the account, `demo` when absent
 */
export const demo = internalMutation({
  args: { serviceTokenHash: v.string(), personTokenHash: v.string(), slug: v.optional(v.string()) },
  returns: seeded,
  handler: async (ctx, { serviceTokenHash, personTokenHash, slug = SLUG }) => {
    const existing = await ctx.db
      .query('accounts')
      .withIndex('by_slug', (q) => q.eq('slug', slug))
      .unique();
    const accountId = existing?._id ?? (await createAccount(ctx, slug));
    await ctx.db.patch('accounts', accountId, { serviceTokenHash });
    const person = await findMember(ctx, accountId, DEMO_USER.userId);
    if (person) await ctx.db.patch('members', person._id, { tokenHash: personTokenHash });
    const tasks = await ctx.db
      .query('tasks')
      .withIndex('by_account_updated', (q) => q.eq('accountId', accountId))
      .take(BATCH);
    tasks.sort((a, b) => a._creationTime - b._creationTime);
    return { accountId, tasks: tasks.map(({ _id, title }) => ({ _id, title })) };
  },
});

async function createAccount(ctx: MutationCtx, slug: string): Promise<Id<'accounts'>> {
  const now = Date.now();
  const accountId = await ctx.db.insert('accounts', {
    name: 'Demo',
    slug,
    plan: 'free',
    runtimeStatus: 'provisioning',
    createdAt: now,
  });
  await ctx.db.insert('members', { accountId, ...DEMO_USER, email: 'demo@example.com', role: 'owner' });
  for (const document of DOCUMENTS) {
    await ctx.db.insert('documents', { accountId, ...document, type: 'reference', updatedAt: now });
  }
  const lead = { slug: 'squad-lead', name: 'Squad Lead', role: 'Squad lead' };
  const orchestratorAgentId = await insertAgent(ctx, accountId, lead);
  const engineer = { slug: 'engineer', name: 'Engineer', role: 'Software engineer' };
  const engineerId = await insertAgent(ctx, accountId, engineer);
  await giveSkill(ctx, accountId, engineerId);
  await insertAgent(ctx, accountId, { slug: 'qa', name: 'QA', role: 'QA engineer' });
  await ctx.db.patch('accounts', accountId, { settings: { orchestratorAgentId } });

  const account = await ctx.db.get('accounts', accountId);
  if (account) await insertTasks(ctx, account, engineerId);
  await settleNotifications(ctx, accountId);
  return accountId;
}

/** An example skill. */
async function giveSkill(ctx: MutationCtx, accountId: Id<'accounts'>, agentId: Id<'agents'>): Promise<void> {
  const skillId = await ctx.db.insert('skills', {
    accountId,
    name: 'Bug reports',
    slug: 'bug-reports',
    description: 'How this account writes about a bug.',
    contentMarkdown:
      'Say what was done, what was expected and what came instead. Name the cause only when it is known.',
    isEnabled: true,
  });
  const agent = await ctx.db.get('agents', agentId);
  if (!agent?.openclawConfig) return;
  await ctx.db.patch('agents', agentId, {
    openclawConfig: { ...agent.openclawConfig, skillIds: [skillId] },
  });
}

async function insertTasks(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  engineerId: Id<'agents'>,
): Promise<void> {
  await insertTask(ctx, account, CREATOR, {
    title: 'Fix the login bug',
    description: 'Some people see an empty page after they sign in. Find out why, and say what to change.',
    priority: 1,
    status: 'in_progress',
    assignedAgentIds: [engineerId],
  });
  await insertTask(ctx, account, CREATOR, { title: 'Write the release notes' });
  await insertTask(ctx, account, CREATOR, { title: 'Check the sign-up form', priority: 2 });
  const orchestratorChatTaskId = await insertTask(ctx, account, CREATOR, {
    title: 'Chat with the squad lead',
    labels: [ORCHESTRATOR_CHAT_LABEL],
  });
  await ctx.db.patch('accounts', account._id, { settings: { ...account.settings, orchestratorChatTaskId } });
}

/** Marks the notifications of the seed itself delivered, so that a fresh stack stays quiet until somebody writes. */
async function settleNotifications(ctx: MutationCtx, accountId: Id<'accounts'>): Promise<void> {
  const rows = await ctx.db
    .query('notifications')
    .withIndex('by_queue', (q) =>
      q.eq('accountId', accountId).eq('recipientType', 'agent').eq('deliveredAt', undefined),
    )
    .take(BATCH);
  for (const row of rows) await ctx.db.patch('notifications', row._id, { deliveredAt: Date.now() });
}
