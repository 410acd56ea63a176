import { fromPromise } from 'xstate';
import type { BeatMessage, BeatPlan } from '../../machines/beat/machine.ts';
import {
  focusTask,
  namedTask,
  READ_TASKS,
  rememberFocus,
  shownTasks,
  WATCHED_STATUSES,
} from '../../machines/heartbeat/focus.ts';
import { staleFollowUps } from '../../machines/heartbeat/follow-ups.ts';
import { fitMessage } from '../../machines/notification/reply.ts';
import { meaningOfBeat } from '../../machines/shared/silence.ts';
import { Fault, faultOf } from '../../machines/shared/fault.ts';
import type { AgentRow, TaskRow } from '../../machines/shared/mission-control.ts';
import { buildBeatPrompt } from '../gateway/prompt.ts';
import type { MissionControl } from '../ports.ts';
import type { ToolService } from '../tools/service.ts';
import type { Surroundings } from './notification.ts';

const MAX_MESSAGES = 8;

/** The call that asks assignees; null: nobody is asked (FOLLOW_UPS=off). */
export type FollowUps = Pick<ToolService, 'requestResponses'> | null;

/** The I/O of a beat (docs/contract.md#heartbeats). */
export function createBeatActors(surroundings: Surroundings, followUps: FollowUps) {
  const { missionControl, gateway, sessions } = surroundings;
  /** By agent: what its beats were about, the latest last. A beat that says nothing leaves no other trace. */
  const focused = new Map<string, readonly string[]>();
  return {
    planBeat: fromPromise<BeatPlan, { agent: AgentRow }>(async ({ input: { agent }, signal }) => {
      const isOrchestrator = (await missionControl.getOrchestratorAgentId(signal)) === agent._id;
      const all = await tasksOf(missionControl, agent, isOrchestrator, signal);
      if (isOrchestrator) await askAssignees(surroundings, followUps, agent, all, signal);
      const seen = focused.get(agent._id) ?? [];
      const focus = focusTask(all, isOrchestrator, seen);
      focused.set(agent._id, rememberFocus(seen, focus));
      const { shown: tasks, leftOut } = shownTasks(all, isOrchestrator);
      const thread =
        focus === null ? [] : await missionControl.loadThread(agent._id, focus._id, MAX_MESSAGES, signal);
      return { isOrchestrator, tasks, leftOut, focus, thread };
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
  const own = await missionControl.listAssignedTasks(agent._id, READ_TASKS.agent, signal);
  if (!isOrchestrator) return own;
  const all = await missionControl.listOrchestratorTasks(
    [...WATCHED_STATUSES],
    READ_TASKS.orchestrator,
    signal,
  );
  const known = new Set(own.map((task) => task._id));
  return [...own, ...all.filter((task) => !known.has(task._id))];
}

/** Asks about work that stands still. A courtesy: a refusal is told, and the beat goes on. */
async function askAssignees(
  { missionControl, log }: Pick<Surroundings, 'missionControl' | 'log'>,
  followUps: FollowUps,
  agent: AgentRow,
  tasks: readonly TaskRow[],
  signal: AbortSignal,
): Promise<void> {
  if (followUps === null || !agent.effectiveBehaviorFlags.canMentionAgents) return;
  const known = (await missionControl.listAgents(signal)).map(({ _id, slug }) => ({ id: _id, slug }));
  const due = staleFollowUps(tasks, { now: Date.now(), askerId: agent._id, known });
  for (const { taskId, recipientSlugs, message } of due) {
    const request = { agentId: agent._id, taskId, recipientSlugs, message };
    try {
      const { notificationIds } = await followUps.requestResponses(request, signal);
      if (notificationIds.length === 0) continue;
      log.info(
        'beat.asked',
        `@${agent.slug} asks ${recipientSlugs.join(', ')} about a task that stands still`,
        {
          task: taskId,
        },
      );
    } catch (error) {
      if (faultOf(error).kind !== 'backendRejected') throw error;
      log.warn('beat.askFailed', 'Assignees of a task that stands still could not be asked', {
        task: taskId,
        error,
      });
    }
  }
}
