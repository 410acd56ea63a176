import { fromPromise } from 'xstate';
import type {
  BeatCall,
  BeatLetter,
  BeatMessage,
  BeatPlan,
  BeatPost,
  BeatRound,
  BeatRun,
} from '../../machines/beat/context.ts';
import {
  focusTask,
  namedTask,
  READ_TASKS,
  shownTasks,
  WATCHED_STATUSES,
} from '../../machines/heartbeat/focus.ts';
import { staleFollowUps } from '../../machines/heartbeat/follow-ups.ts';
import { fitMessage } from '../../machines/notification/reply.ts';
import { actingInBeat } from '../../machines/shared/acting.ts';
import type { ToolAnswer, ToolMode } from '../../machines/shared/acting.ts';
import type { Looked } from '../../machines/shared/child.ts';
import { mayCall, type Rounds } from '../../machines/shared/rounds.ts';
import { meaningOfBeat } from '../../machines/shared/silence.ts';
import { Fault, faultOf } from '../../machines/shared/fault.ts';
import type { AgentRow, TaskRow } from '../../machines/shared/mission-control.ts';
import { beatLine } from '../gateway/prompt-tools.ts';
import { buildBeatPrompt } from '../gateway/beat-prompt.ts';
import type { MissionControl, Reply } from '../ports.ts';
import { toolsFor } from '../tools/offer.ts';
import type { ToolService } from '../tools/service.ts';
import { makeCall } from './make-call.ts';
import { findMessage } from './find-message.ts';
import type { NotificationTools, Surroundings } from './notification.ts';
import { playRound, requestOf } from './round.ts';

const MAX_MESSAGES = 8;

/** The call that asks assignees; null: nobody is asked (FOLLOW_UPS=off). */
export type FollowUps = Pick<ToolService, 'requestResponses'> | null;

/** How an agent acts in a beat. */
export interface BeatTools extends NotificationTools {
  followUps: FollowUps;
  /** The agents of the account, as the last sync gave them. */
  roster: () => readonly AgentRow[];
}

interface PlanInput {
  agent: AgentRow;
  seen: readonly string[];
}

/** The I/O of a beat (docs/contract.md#heartbeats). */
export function createBeatActors(surroundings: Surroundings, tools: BeatTools) {
  const { missionControl, letters } = surroundings;
  const { mode } = tools;
  return {
    planBeat: fromPromise<BeatPlan, PlanInput>(async ({ input: { agent, seen }, signal }) => {
      const isOrchestrator = (await missionControl.getOrchestratorAgentId(signal)) === agent._id;
      const all = await tasksOf(missionControl, agent, isOrchestrator, signal);
      if (isOrchestrator) await askAssignees(surroundings, tools, agent, all, signal);
      const focus = focusTask(all, isOrchestrator, seen);
      const { shown: tasks, leftOut } = shownTasks(all, isOrchestrator);
      const thread =
        focus === null ? [] : await missionControl.loadThread(agent._id, focus._id, MAX_MESSAGES, signal);
      const acting =
        mode === 'off' ? null : actingInBeat({ agent, isOrchestrator, focus, roster: tools.roster() });
      return { isOrchestrator, tasks, leftOut, focus, thread, acting };
    }),
    runBeat: fromPromise<BeatRound, BeatRun>(createRunBeat(surroundings, mode)),
    // The journal holds nothing of a beat, so nobody can tell what an earlier try of a call did.
    makeCall: fromPromise<ToolAnswer, BeatCall>(({ input, signal }) =>
      makeCall(tools, { ...input, since: null, signal }, null),
    ),
    postBeat: fromPromise<void, { agent: AgentRow; message: BeatMessage | null }>(
      async ({ input: { agent, message }, signal }) => {
        if (message !== null) await missionControl.postMessage({ ...message, agentId: agent._id }, signal);
      },
    ),
    findBeat: fromPromise<Looked, BeatPost>(async ({ input: { agent, message, begunAt, after }, signal }) => {
      if (message === null || begunAt === null) return { found: false, mayArriveForMs: 0 };
      const sought = { ...message, agentId: agent._id };
      return await findMessage(missionControl, sought, { at: begunAt, after }, signal);
    }),
    keepDeadLetter: fromPromise<void, BeatLetter>(async ({ input: { agentId, title, message, reason } }) => {
      if (message === null) return;
      const { taskId, content } = message;
      const notificationId = `heartbeat:${agentId}`;
      await letters.bury({ notificationId, taskId, agentId, title, text: content, reason, at: Date.now() });
    }),
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

function createRunBeat(surroundings: Surroundings, mode: ToolMode) {
  return async ({ input, signal }: { input: BeatRun; signal: AbortSignal }): Promise<BeatRound> => {
    const { agent, plan, rounds, ranMs, signs } = input;
    if (plan === null) throw new Fault('bug', 'a beat needs a plan');
    const meaningOf = ({ text, toolCalls }: Reply) =>
      meaningOfBeat({ text, acted: toolCalls > 0 || rounds.count > 0 });
    const round = {
      agent,
      sessionKey: agent.systemSessionKey,
      request: firstOrNext(agent, plan, rounds, mode),
      ranMs,
      signs,
      meaningOf: (reply: Reply) => (reply.calls.length > 0 && mayCall(rounds) ? null : meaningOf(reply)),
    };
    const { reply, runMs, spent } = await playRound(surroundings, round, signal);
    const meaning = meaningOf(reply);
    const task = namedTask(reply.text, plan.tasks, plan.focus);
    const speaks = task !== null && meaning.kind === 'text';
    const message = speaks ? { taskId: task._id, content: fitMessage(meaning.text) } : null;
    return { calls: reply.calls, message, runMs, spent };
  };
}

function firstOrNext(agent: AgentRow, plan: BeatPlan, rounds: Rounds, mode: ToolMode) {
  const offered = plan.acting === null ? [] : toolsFor(plan.acting, mode);
  const prompt = buildBeatPrompt({ agent, ...plan }, { tools: offered });
  return requestOf(prompt, rounds, { offered, repeat: false, lastLine: beatLine(agent.slug) });
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
  { log }: Pick<Surroundings, 'log'>,
  { followUps, roster }: Pick<BeatTools, 'followUps' | 'roster'>,
  agent: AgentRow,
  tasks: readonly TaskRow[],
  signal: AbortSignal,
): Promise<void> {
  if (followUps === null || !agent.effectiveBehaviorFlags.canMentionAgents) return;
  const due = staleFollowUps(tasks, { now: Date.now(), askerId: agent._id, known: roster() });
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
