import type { MissionControl } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { nameOf, service } from './functions.ts';
import { parseRows } from './parse.ts';
import type { Malformed } from './parse.ts';
import { agentProfile, agentRow, orchestrator, taskDetails, taskRow, threadMessage } from './schemas.ts';

type AgentCalls = Pick<
  MissionControl,
  | 'listAgents'
  | 'listProfiles'
  | 'getOrchestratorAgentId'
  | 'listAssignedTasks'
  | 'listOrchestratorTasks'
  | 'loadThread'
  | 'updateAgentHeartbeat'
>;

export function agentCalls(client: ServiceClient, report: (rows: Malformed[]) => void): AgentCalls {
  /** The good rows; the others are reported. */
  function keep<T>({ rows, malformed }: { rows: T[]; malformed: Malformed[] }): T[] {
    report(malformed);
    return rows;
  }

  return {
    listAgents: async (signal) => keep(await client.list(agentRow, service.listAgents, {}, signal)),
    listProfiles: async (signal) =>
      keep(await client.list(agentProfile, service.listAgentsForRuntime, {}, signal)),
    getOrchestratorAgentId: async (signal) => {
      const answer = await client.read(orchestrator, service.getOrchestratorAgentId, {}, signal);
      return answer.orchestratorAgentId;
    },
    listAssignedTasks: async (agentId, limit, signal) =>
      keep(await client.list(taskRow, service.listAssignedTasksForAgent, { agentId, limit }, signal)),
    listOrchestratorTasks: async (statuses, limit, signal) =>
      keep(
        await client.list(taskRow, service.listTasksForOrchestratorHeartbeat, { statuses, limit }, signal),
      ),
    loadThread: async (agentId, taskId, messageLimit, signal) => {
      const action = service.loadTaskDetailsForAgentTool;
      const { thread } = await client.read(taskDetails, action, { agentId, taskId, messageLimit }, signal);
      return keep(parseRows(threadMessage, thread, nameOf(action)));
    },
    updateAgentHeartbeat: ({ agentId, status, currentTaskId }, signal) =>
      client.run(service.updateAgentHeartbeat, { agentId, status, currentTaskId }, signal),
  };
}
