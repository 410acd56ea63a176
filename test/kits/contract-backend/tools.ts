/** Those actions behind agents' tools whose effect faults and chaos count: they make something. */
import * as v from 'valibot';
import { failure } from '../../../convex/model/errors.ts';
import { clampLimit } from '../../../convex/model/limits.ts';
import { define, type ServiceFunction } from './define.ts';
import { postMessage } from './messages.ts';
import type { Agent, Document, Task } from './rows.ts';
import type { Store } from './store.ts';
import { createTask } from './tasks.ts';

const text = v.string();
const optionalText = v.optional(text);
const optionalNumber = v.optional(v.number());
const documentType = v.picklist(['deliverable', 'note', 'template', 'reference']);

function agentOf(store: Store, id: string): Agent {
  const agent = store.agentsById.get(id);
  if (agent === undefined) throw failure('NOT_FOUND', 'Not found: Agent does not exist');
  return agent;
}

function taskOf(store: Store, id: string): Task {
  const task = store.tasks.get(id);
  if (task === undefined) throw failure('NOT_FOUND', 'Not found: Task does not exist');
  return task;
}

const documentsOf = (store: Store, taskId: string | undefined): Document[] =>
  [...store.documents.values()]
    .filter((document) => taskId === undefined || document.taskId === taskId)
    .sort((a, b) => b.updatedAt - a.updatedAt);

export const TOOL_ACTIONS = {
  createTaskFromAgent: define(
    {
      agentId: text,
      title: text,
      description: optionalText,
      priority: optionalNumber,
      labels: v.optional(v.array(text)),
      dueDate: optionalNumber,
      status: optionalText,
      blockedReason: optionalText,
      assignedAgentIds: v.optional(v.array(text)),
    },
    (store, { agentId, title, description, assignedAgentIds = [] }) => {
      const creator = agentOf(store, agentId);
      if (!creator.behaviorFlags.canCreateTasks) {
        throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to create tasks');
      }
      const assignees = assignedAgentIds.map((id) => agentOf(store, id));
      const task = createTask(store, title, assignees, { type: 'agent', id: creator._id });
      if (description !== undefined) task.description = description;
      return { taskId: task._id };
    },
  ),
  createTaskMessageForAgentTool: define(
    { agentId: text, taskId: text, content: text },
    (store, { agentId, taskId, content }) => {
      const agent = agentOf(store, agentId);
      if (store.account.orchestratorAgentId !== agent._id) {
        throw failure('FORBIDDEN', 'Forbidden: Only the orchestrator can post task messages');
      }
      const author = { type: 'agent', id: agent._id, name: agent.name } as const;
      return { messageId: postMessage(store, taskOf(store, taskId), { author, agent, content })._id };
    },
  ),
  createDocumentFromAgent: define(
    {
      agentId: text,
      documentId: optionalText,
      taskId: optionalText,
      title: text,
      content: text,
      type: documentType,
    },
    (store, { agentId, documentId, taskId, ...draft }) => {
      const agent = agentOf(store, agentId);
      const earlier = documentId === undefined ? undefined : store.documents.get(documentId);
      if (documentId !== undefined && earlier === undefined) {
        throw failure('NOT_FOUND', 'Not found: Document does not exist');
      }
      const { _id, _creationTime } = earlier ?? store.newRow();
      const owner = taskId === undefined ? {} : { taskId: taskOf(store, taskId)._id };
      const updatedAt = store.now();
      store.documents.set(_id, { _id, _creationTime, authorId: agent._id, ...draft, ...owner, updatedAt });
      return { documentId: _id };
    },
  ),
  listDocumentsForAgent: define(
    { taskId: optionalText, type: v.optional(documentType), limit: optionalNumber },
    (store, { taskId, type, limit }) => ({
      documents: documentsOf(store, taskId)
        .filter((document) => type === undefined || document.type === type)
        .slice(0, clampLimit(limit, 50, 100))
        .map(({ _id, title, type: kind, taskId: owner, updatedAt }) => ({
          _id,
          title,
          type: kind,
          ...(owner !== undefined && { taskId: owner }),
          updatedAt,
        })),
    }),
  ),
} satisfies Record<string, ServiceFunction>;
