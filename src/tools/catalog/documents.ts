import { Refusal } from '../refusal.ts';
import { DOCUMENT_TYPES } from '../service.ts';
import { freeText, idField, limit, oneOf, optional, text } from './fields.ts';
import { GATES } from './gates.ts';
import { keptIds } from './kept.ts';
import { defineTool } from './tool.ts';
import type { Making } from './tool.ts';

/** The most that one look gives. */
const LIST_LIMIT = 100;

export const documentUpsert = defineTool({
  name: 'document_upsert',
  description:
    'Writes a document: a new one, or with documentId a new version of one that is there. Give the whole content.',
  gate: GATES.writesDocuments,
  kind: 'make',
  fields: {
    title: text(2_000, 'The title.'),
    content: freeText(1_000_000, 'The whole content, in Markdown.'),
    type: oneOf(DOCUMENT_TYPES, 'deliverable is the result of work; reference is for everybody to look up.'),
    documentId: optional(idField('The document to change; leave it out for a new one.')),
    taskId: optional(idField('The task that it belongs to; leave it out for the current task.')),
  },
  kindOf: ({ documentId }) => (documentId === undefined ? 'make' : 'set'),
  async make({ title, content, type, documentId, taskId }, making) {
    const { agent, service, signal } = making;
    const owner =
      taskId ?? (documentId === undefined ? agent.taskId : await ownerOf(documentId, making)) ?? undefined;
    const saved = await service.saveDocument(
      {
        agentId: agent.agentId,
        title,
        content,
        type,
        ...(documentId !== undefined && { documentId }),
        ...(owner !== undefined && { taskId: owner }),
      },
      signal,
    );
    return { documentId: saved.documentId, title, ...(owner !== undefined && { taskId: owner }) };
  },
  async look({ title, type, taskId }, { agent, service, circumstances: { since, kept }, signal }) {
    if (since === null) return 'unknown';
    const owner = taskId ?? agent.taskId ?? undefined;
    const documents = await service.listDocuments(
      { ...(owner !== undefined && { taskId: owner }), limit: LIST_LIMIT },
      signal,
    );
    const known = keptIds(kept);
    const [only, ...more] = documents.filter(
      (document) =>
        document.updatedAt >= since &&
        document.title === title &&
        document.type === type &&
        !known.has(document._id),
    );
    // The list names no author, so one of two candidates may be somebody else's.
    if (more.length > 0) return 'unknown';
    if (only !== undefined) {
      return { found: { documentId: only._id, title, ...(owner !== undefined && { taskId: owner }) } };
    }
    // Deleted documents are taken out after the read, so a list that is a little short may still be cut off.
    const isWhole = documents.length < LIST_LIMIT / 2 || documents.some(({ updatedAt }) => updatedAt < since);
    return isWhole ? 'absent' : 'unknown';
  },
});

/** The task of a document that is changed: a change that names none would take the document from it. */
async function ownerOf(documentId: string, { service, signal }: Making): Promise<string | null> {
  const documents = await service.listDocuments({ limit: LIST_LIMIT }, signal);
  const document = documents.find(({ _id }) => _id === documentId);
  if (document === undefined) {
    throw new Refusal(
      'invalid_arguments',
      'The document is not among the last 100 of the account, so its task is not known.',
      'Name its task in taskId, or look for the document with document_list.',
    );
  }
  return document.taskId ?? null;
}

export const documentList = defineTool({
  name: 'document_list',
  description:
    'Lists documents, the last changed first, without their content: those of a task, or of the whole account.',
  gate: GATES.seesDocuments,
  kind: 'read',
  fields: {
    taskId: optional(idField('Only documents of this task; leave it out for those of the account.')),
    type: optional(oneOf(DOCUMENT_TYPES, 'Only documents of this type.')),
    limit: limit(50, 100, 'documents'),
  },
  make: async ({ taskId, type, limit: many }, { service, signal }) => ({
    documents: await service.listDocuments(
      { ...(taskId !== undefined && { taskId }), ...(type !== undefined && { type }), limit: many },
      signal,
    ),
  }),
});
