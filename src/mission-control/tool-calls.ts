import type { ToolService } from '../tools/service.ts';
import type { ServiceClient } from './client.ts';
import { service } from './functions.ts';
import * as schemas from './schemas.ts';

/** The actions behind agents' tools. The backend refuses a call that has a field too many. */
export const toolCalls = (client: ServiceClient): ToolService => ({
  updateTaskStatus: (change, signal) =>
    client.read(schemas.statusAfter, service.updateTaskStatusFromAgent, change, signal),
  updateTask: (change, signal) =>
    client.read(schemas.changedFields, service.updateTaskFromAgent, change, signal),
  createTask: (task, signal) => client.read(schemas.createdTask, service.createTaskFromAgent, task, signal),
  assignTask: (change, signal) => client.run(service.assignTaskFromAgent, change, signal),
  deleteTask: (change, signal) => client.run(service.deleteTaskFromAgent, change, signal),
  linkTaskToPr: (change, signal) => client.run(service.linkTaskToPrForAgentTool, change, signal),
  createTaskMessage: (message, signal) =>
    client.read(schemas.createdMessage, service.createTaskMessageForAgentTool, message, signal),
  requestResponses: ({ agentId, ...request }, signal) =>
    client.read(
      schemas.createdRequests,
      service.createResponseRequestNotifications,
      { requesterAgentId: agentId, ...request },
      signal,
    ),
  saveDocument: (document, signal) =>
    client.read(schemas.savedDocument, service.createDocumentFromAgent, document, signal),

  listTasks: (query, signal) => client.list(schemas.toolTask, service.listTasksForAgentTool, query, signal),
  getTask: (query, signal) => client.read(schemas.taskOrNull, service.getTaskForAgentTool, query, signal),
  listThread: (query, signal) =>
    client.list(schemas.threadMessage, service.listTaskThreadForAgentTool, query, signal),
  searchTasks: (query, signal) =>
    client.list(schemas.foundTask, service.searchTasksForAgentTool, query, signal),
  async loadTask(query, signal) {
    const action = service.loadTaskDetailsForAgentTool;
    const { task, thread } = await client.read(schemas.loadedTask, action, query, signal);
    return { task, thread: client.rows(schemas.threadMessage, thread, action) };
  },
  async loadHistory(query, signal) {
    const action = service.getTaskHistoryForAgentTool;
    const { task, messages, activities } = await client.read(schemas.loadedHistory, action, query, signal);
    return {
      task,
      messages: client.rows(schemas.threadMessage, messages, action),
      activities: client.rows(schemas.activity, activities, action),
    };
  },
  listSkills: (query, signal) =>
    client.list(schemas.agentSkills, service.getAgentSkillsForTool, query, signal),
  async listDocuments(query, signal) {
    const action = service.listDocumentsForAgent;
    const { documents } = await client.read(schemas.documentList, action, query, signal);
    return client.rows(schemas.listedDocument, documents, action);
  },
  listTasksByStatus: (statuses, limit, signal) =>
    client.list(schemas.toolTask, service.listTasksForOrchestratorHeartbeat, { statuses, limit }, signal),
});
