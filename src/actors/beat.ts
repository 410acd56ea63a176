import { fromPromise } from 'xstate';
import type { BeatMessage, BeatPlan } from '../../machines/beat/machine.ts';
import { focusTask, namedTask } from '../../machines/heartbeat/focus.ts';
import { fitMessage } from '../../machines/notification/reply.ts';
import { meaningOfBeat } from '../../machines/shared/silence.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { AgentRow, TaskRow } from '../../machines/shared/mission-control.ts';
import { buildBeatPrompt } from '../gateway/prompt.ts';
import type { MissionControl } from '../ports.ts';
import type { Surroundings } from './notification.ts';

const MAX_TASKS = 12;
const MAX_MESSAGES = 8;

/** The I/O of a beat (docs/contract.md#heartbeats). */
export function createBeatActors({ missionControl, gateway, sessions }: Surroundings) {
  return {
    planBeat: fromPromise<BeatPlan, { agent: AgentRow }>(async ({ input: { agent }, signal }) => {
      const isOrchestrator = (await missionControl.getOrchestratorAgentId(signal)) === agent._id;
      const tasks = await tasksOf(missionControl, agent, isOrchestrator, signal);
      const focus = focusTask(tasks, isOrchestrator);
      const thread =
        focus === null ? [] : await missionControl.loadThread(agent._id, focus._id, MAX_MESSAGES, signal);
      return { isOrchestrator, tasks, focus, thread };
    }),
    runBeat: fromPromise<
      { message: BeatMessage | null; runMs: number },
      { agent: AgentRow; plan: BeatPlan | null }
    >(async ({ input: { agent, plan }, signal }) => {
      if (plan === null) throw new Fault('bug', 'a beat needs a plan');
      const prompt = buildBeatPrompt({ agent, ...plan });
      const started = performance.now();
      const reply = await sessions.run(agent.systemSessionKey, signal, () =>
        gateway.respond({ agentSlug: agent.slug, sessionKey: agent.systemSessionKey, ...prompt, signal }),
      );
      const runMs = Math.round(performance.now() - started);
      const task = namedTask(reply.text, plan.tasks, plan.focus);
      const meaning = meaningOfBeat({ text: reply.text, acted: reply.toolCalls > 0 });
      const speaks = task !== null && meaning.kind === 'text';
      return { message: speaks ? { taskId: task._id, content: fitMessage(meaning.text) } : null, runMs };
    }),
    postBeat: fromPromise<void, { agent: AgentRow; message: BeatMessage | null }>(
      async ({ input: { agent, message }, signal }) => {
        if (message !== null) await missionControl.postMessage({ ...message, agentId: agent._id }, signal);
      },
    ),
    reportBeat: fromPromise<void, { agent: AgentRow; plan: BeatPlan | null }>(
      ({ input: { agent, plan }, signal }) => {
        const focus = plan?.focus ?? null;
        const beat = { agentId: agent._id, status: 'online' } as const;
        return missionControl.updateAgentHeartbeat(
          { ...beat, ...(focus !== null && { currentTaskId: focus._id }) },
          signal,
        );
      },
    ),
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
