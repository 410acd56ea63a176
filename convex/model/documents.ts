/** Documents that agents write and list. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import { documentType } from '../enums.ts';
import { logActivity } from './activities.ts';
import { failure } from './errors.ts';
import { clampLimit } from './limits.ts';
import { ownTask } from './tasks.ts';

const MAX_TITLE = 2000;
const MAX_CONTENT = 1_000_000;
/** The most rows that are read, for a task and for the account. Deleted documents and other types are dropped later. */
const MAX_SCAN = { task: 200, account: 100 };

export const documentArgs = {
  documentId: v.optional(v.id('documents')),
  taskId: v.optional(v.id('tasks')),
  title: v.string(),
  content: v.string(),
  type: documentType,
};

interface Draft {
  documentId?: Id<'documents'>;
  taskId?: Id<'tasks'>;
  title: string;
  content: string;
  type: Infer<typeof documentType>;
}

/**
 * A new document, or with `documentId` what is to stand in its place: also its task, so that an update without one
 * takes the document from its task.
 */
export async function saveDocument(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  { documentId, ...draft }: Draft,
): Promise<Id<'documents'>> {
  if (draft.title.length > MAX_TITLE)
    throw failure('INVALID', `Title too long (max ${MAX_TITLE} characters)`);
  if (draft.content.length > MAX_CONTENT) {
    throw failure('INVALID', `Content too long (max ${MAX_CONTENT} characters)`);
  }
  if (draft.taskId && !(await ownTask(ctx, account, draft.taskId))) {
    throw failure('NOT_FOUND', 'Not found: Task does not exist');
  }
  return documentId === undefined
    ? await insertDocument(ctx, account, agent, draft)
    : await replaceDocument(ctx, account, agent, await requireDocument(ctx, account, documentId), draft);
}

async function requireDocument(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  documentId: Id<'documents'>,
): Promise<Doc<'documents'>> {
  const document = await ctx.db.get('documents', documentId);
  if (!document) throw failure('NOT_FOUND', 'Not found: Document does not exist');
  if (document.accountId !== account._id) {
    throw failure('FORBIDDEN', 'Forbidden: Document belongs to different account');
  }
  return document;
}

type Content = Omit<Draft, 'documentId'>;

async function insertDocument(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  { title, content, type, taskId }: Content,
): Promise<Id<'documents'>> {
  const now = Date.now();
  const documentId = await ctx.db.insert('documents', {
    accountId: account._id,
    kind: 'file',
    name: title,
    title,
    content,
    type,
    taskId,
    authorType: 'agent',
    authorId: agent._id,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await logActivity(
    ctx,
    account._id,
    'document_created',
    { type: 'agent', id: agent._id, name: agent.name },
    { type: 'document', id: documentId, name: title },
    { type, taskId: taskId ?? null },
  );
  return documentId;
}

async function replaceDocument(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  document: Doc<'documents'>,
  { title, content, type, taskId }: Content,
): Promise<Id<'documents'>> {
  const versionIncrement = content === document.content ? 0 : 1;
  const newVersion = (document.version ?? 1) + versionIncrement;
  await ctx.db.patch('documents', document._id, {
    name: title,
    title,
    content,
    type,
    taskId,
    version: newVersion,
    updatedAt: Date.now(),
  });
  await logActivity(
    ctx,
    account._id,
    'document_updated',
    { type: 'agent', id: agent._id, name: agent.name },
    { type: 'document', id: document._id, name: title },
    { versionIncrement, newVersion },
  );
  return document._id;
}

export const listedDocument = v.object({
  _id: v.id('documents'),
  title: v.string(),
  type: v.optional(documentType),
  taskId: v.optional(v.id('tasks')),
  updatedAt: v.number(),
});

/** Documents without their content, the last changed first. @param limit 50 when absent, 1 to 100 */
export async function listDocuments(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  query: { taskId?: Id<'tasks'>; type?: Infer<typeof documentType>; limit?: number },
): Promise<Infer<typeof listedDocument>[]> {
  const limit = clampLimit(query.limit, 50, 100);
  const { taskId } = query;
  const newest =
    taskId === undefined
      ? ctx.db
          .query('documents')
          .withIndex('by_account_updated', (q) => q.eq('accountId', account._id))
          .order('desc')
          .take(Math.min(2 * limit, MAX_SCAN.account))
      : ctx.db
          .query('documents')
          .withIndex('by_task_updated', (q) => q.eq('taskId', taskId))
          .order('desc')
          .take(Math.min(2 * limit, MAX_SCAN.task));
  return (await newest)
    .filter(
      (row) =>
        row.accountId === account._id &&
        row.deletedAt === undefined &&
        (query.type === undefined || row.type === query.type),
    )
    .slice(0, limit)
    .map(({ _id, name, title, type, taskId: owner, updatedAt }) => ({
      _id,
      title: name ?? title ?? 'Untitled',
      type,
      taskId: owner,
      updatedAt,
    }));
}
