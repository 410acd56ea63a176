import type { InputFrom, OutputFrom } from 'xstate';
import { focusTask, namedTask } from '../../machines/heartbeat/focus.ts';
import type { laneActors } from '../../machines/lane/actors.ts';
import { fitMessage, replyKind } from '../../machines/lane/reply.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { AgentRow, TaskRow } from '../../machines/shared/mission-control.ts';
import { buildBeatPrompt } from '../gateway/prompt.ts';
import type { MissionControl } from '../ports.ts';
import type { LaneSurroundings } from './lane.ts';

const MAX_TASKS = 12;
const MAX_MESSAGES = 8;

type Beat = (typeof laneActors)['beat'];

/** One heartbeat, as contract section 9 has it: look at the tasks, ask the agent, post what it says, say it lives. */
export function createBeat({ missionControl, gateway, sessions }: LaneSurroundings) {
  return async ({
    input,
    signal,
  }: {
    input: InputFrom<Beat>;
    signal: AbortSignal;
  }): Promise<OutputFrom<Beat>> => {
    if (input.job?.kind !== 'beat') throw new Fault('bug', 'a beat needs an agent');
    const { agent } = input.job;
    const isOrchestrator = (await missionControl.getOrchestratorAgentId(signal)) === agent._id;
    const tasks = await tasksOf(missionControl, agent, isOrchestrator, signal);
    const focus = focusTask(tasks, isOrchestrator);
    const thread =
      focus === null ? [] : await missionControl.loadThread(agent._id, focus._id, MAX_MESSAGES, signal);
    const prompt = buildBeatPrompt({ agent, tasks, focus, thread, isOrchestrator });
    const started = performance.now();
    const reply = await sessions.run(agent.systemSessionKey, signal, () =>
      gateway.respond({ agentSlug: agent.slug, sessionKey: agent.systemSessionKey, ...prompt, signal }),
    );
    const runMs = Math.round(performance.now() - started);
    const task = namedTask(reply.text, tasks, focus);
    if (task !== null && replyKind(reply) === 'text') {
      const content = fitMessage(reply.text);
      await missionControl.postMessage({ taskId: task._id, agentId: agent._id, content }, signal);
    }
    await missionControl.updateAgentHeartbeat(
      { agentId: agent._id, status: 'online', ...(focus !== null && { currentTaskId: focus._id }) },
      signal,
    );
    return { runMs };
  };
}

/** The agent's own tasks; the orchestrator also sees what the account has under way. */
async function tasksOf(
  missionControl: MissionControl,
  agent: AgentRow,
  isOrchestrator: boolean,
  signal: AbortSignal,
): Promise<TaskRow[]> {
  const own = await missionControl.listAssignedTasks(agent._id, MAX_TASKS, signal);
  if (!isOrchestrator) return own;
  const all = await missionControl.listOrchestratorTasks(
    ['in_progress', 'review', 'assigned'],
    MAX_TASKS,
    signal,
  );
  const known = new Set(own.map((task) => task._id));
  return [...own, ...all.filter((task) => !known.has(task._id))];
}
