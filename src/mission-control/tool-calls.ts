/**
 * The actions behind agents' tools. Field by field where a caller's object may hold more: the backend refuses a call
 * that has a field too many.
 */
import type { ToolService } from '../tools/service.ts';
import type { ServiceClient } from './client.ts';
import { nameOf, service } from './functions.ts';
import { parseRows } from './parse.ts';
import type { Malformed } from './parse.ts';
import * as schemas from './schemas.ts';

export function toolCalls(client: ServiceClient, report: (rows: Malformed[]) => void): ToolService {
  return { ...writingCalls(client), ...readingCalls(client, report) };
}

type WritingCalls = Pick<
  ToolService,
  | 'updateTaskStatus'
  | 'updateTask'
  | 'createTask'
  | 'assignTask'
  | 'deleteTask'
  | 'linkTaskToPr'
  | 'createTaskMessage'
  | 'requestResponses'
  | 'saveDocument'
>;

const writingCalls = (client: ServiceClient): WritingCalls => ({
  updateTaskStatus: ({ agentId, taskId, status, blockedReason, expectedStatus }, signal) =>
    client.read(
      schemas.statusAfter,
      service.updateTaskStatusFromAgent,
      { agentId, taskId, status, blockedReason, expectedStatus },
      signal,
    ),
  updateTask: (change, signal) =>
    client.read(schemas.changedFields, service.updateTaskFromAgent, { ...change }, signal),
  createTask: (task, signal) =>
    client.read(schemas.createdTask, service.createTaskFromAgent, { ...task }, signal),
  assignTask: ({ agentId, taskId, assignedAgentIds }, signal) =>
    client.run(service.assignTaskFromAgent, { agentId, taskId, assignedAgentIds }, signal),
  deleteTask: ({ agentId, taskId, reason }, signal) =>
    client.run(service.deleteTaskFromAgent, { agentId, taskId, reason }, signal),
  linkTaskToPr: ({ agentId, taskId, prNumber }, signal) =>
    client.run(service.linkTaskToPrForAgentTool, { agentId, taskId, prNumber }, signal),
  createTaskMessage: ({ agentId, taskId, content }, signal) =>
    client.read(
      schemas.createdMessage,
      service.createTaskMessageForAgentTool,
      { agentId, taskId, content },
      signal,
    ),
  requestResponses: ({ agentId, taskId, recipientSlugs, message }, signal) =>
    client.read(
      schemas.createdRequests,
      service.createResponseRequestNotifications,
      { requesterAgentId: agentId, taskId, recipientSlugs, message },
      signal,
    ),
  saveDocument: (document, signal) =>
    client.read(schemas.savedDocument, service.createDocumentFromAgent, { ...document }, signal),
});

type ReadingCalls = Omit<ToolService, keyof WritingCalls>;

function readingCalls(client: ServiceClient, report: (rows: Malformed[]) => void): ReadingCalls {
  /** The good rows; the others are reported. */
  function keep<T>({ rows, malformed }: { rows: T[]; malformed: Malformed[] }): T[] {
    report(malformed);
    return rows;
  }
  const messagesOf = (name: string, rows: unknown) => keep(parseRows(schemas.threadMessage, rows, name));

  return {
    listTasks: async (query, signal) =>
      keep(await client.list(schemas.toolTask, service.listTasksForAgentTool, { ...query }, signal)),
    getTask: ({ agentId, taskId }, signal) =>
      client.read(schemas.taskOrNull, service.getTaskForAgentTool, { agentId, taskId }, signal),
    listThread: async ({ agentId, taskId, limit }, signal) =>
      keep(
        await client.list(
          schemas.threadMessage,
          service.listTaskThreadForAgentTool,
          { agentId, taskId, limit },
          signal,
        ),
      ),
    searchTasks: async ({ agentId, query, limit }, signal) =>
      keep(
        await client.list(
          schemas.foundTask,
          service.searchTasksForAgentTool,
          { agentId, query, limit },
          signal,
        ),
      ),
    loadTask: async ({ agentId, taskId, messageLimit }, signal) => {
      const action = service.loadTaskDetailsForAgentTool;
      const answer = await client.read(schemas.loadedTask, action, { agentId, taskId, messageLimit }, signal);
      return { task: answer.task, thread: messagesOf(nameOf(action), answer.thread) };
    },
    loadHistory: async ({ agentId, taskId, messageLimit, activityLimit }, signal) => {
      const action = service.getTaskHistoryForAgentTool;
      const limits = { messageLimit, activityLimit };
      const answer = await client.read(schemas.loadedHistory, action, { agentId, taskId, ...limits }, signal);
      return {
        task: answer.task,
        messages: messagesOf(nameOf(action), answer.messages),
        activities: keep(parseRows(schemas.activity, answer.activities, nameOf(action))),
      };
    },
    listSkills: async ({ agentId, queryAgentId }, signal) =>
      keep(
        await client.list(
          schemas.agentSkills,
          service.getAgentSkillsForTool,
          { agentId, queryAgentId },
          signal,
        ),
      ),
    listDocuments: async ({ taskId, type, limit }, signal) => {
      const action = service.listDocumentsForAgent;
      const { documents } = await client.read(schemas.documentList, action, { taskId, type, limit }, signal);
      return keep(parseRows(schemas.listedDocument, documents, nameOf(action)));
    },
    listTasksByStatus: async (statuses, limit, signal) =>
      keep(
        await client.list(
          schemas.toolTask,
          service.listTasksForOrchestratorHeartbeat,
          { statuses, limit },
          signal,
        ),
      ),
  };
}
