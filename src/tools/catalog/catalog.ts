import { getAgentSkills, responseRequest } from './colleagues.ts';
import { documentList, documentUpsert } from './documents.ts';
import { taskCreate } from './new-task.ts';
import * as orchestrator from './orchestrator.ts';
import { taskHistory, taskLoad, taskStatus, taskUpdate } from './own-task.ts';
import type { Tool } from './tool.ts';

/** All tools, in the order in which they are offered. */
export const catalog: readonly Tool[] = [
  taskStatus,
  taskUpdate,
  taskCreate,
  documentUpsert,
  documentList,
  responseRequest,
  getAgentSkills,
  taskLoad,
  taskHistory,
  orchestrator.taskAssign,
  orchestrator.taskMessage,
  orchestrator.taskList,
  orchestrator.taskGet,
  orchestrator.taskThread,
  orchestrator.taskSearch,
  orchestrator.taskDelete,
  orchestrator.taskLinkPr,
];

export const findTool = (name: string): Tool | null => catalog.find((tool) => tool.name === name) ?? null;
