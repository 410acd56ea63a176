import { fromPromise } from 'xstate';
import type { InputFrom, OutputFrom } from 'xstate';
import type { laneActors } from '../../machines/lane/actors.ts';
import { NOTHING_KNOWN, versionOf } from '../../machines/lane/context.ts';
import { Fault, faultOf, isAttempt, type FaultKind } from '../../machines/shared/fault.ts';
import type { Log } from '../logging/log.ts';
import { buildPrompt } from '../openclaw/prompt.ts';
import type { Gateway, Journal, MissionControl } from '../ports.ts';
import { createBeat } from './beat.ts';
import type { SessionLock } from './session-lock.ts';

export interface LaneSurroundings {
  missionControl: MissionControl;
  gateway: Gateway;
  journal: Journal;
  sessions: SessionLock;
  log: Log;
  /** Told of every run that began, with its length in seconds. */
  countRun: (outcome: 'replied' | FaultKind, seconds: number) => void;
}

type Io<TName extends keyof typeof laneActors> = (args: {
  input: InputFrom<(typeof laneActors)[TName]>;
  signal: AbortSignal;
}) => Promise<OutputFrom<(typeof laneActors)[TName]>>;

/** The I/O of a lane, as its machine asks for it (machines/lane/actors.ts says what each does). */
export function createLaneActors(around: LaneSurroundings) {
  const { missionControl, journal } = around;
  const loadJob: Io<'loadJob'> = async ({ input, signal }) => ({
    entry: journal.read(input.notificationId) ?? NOTHING_KNOWN,
    delivery: await missionControl.loadContext(input.notificationId, signal),
  });
  const rereadRow: Io<'rereadRow'> = ({ input, signal }) =>
    missionControl.loadContext(input.notificationId, signal);
  const markDelivered: Io<'markDelivered'> = async ({ input, signal }) => {
    await missionControl.markDelivered(input.notificationId, signal);
    journal.forget(input.notificationId);
  };
  const handBack: Io<'handBack'> = async ({ input, signal }) => {
    if (input.refund) journal.refundAttempt(input.notificationId);
    await missionControl.markDeliveryEnded(input.notificationId, signal);
  };
  return {
    loadJob: fromPromise(loadJob),
    runAgent: fromPromise(createRun(around)),
    postMessage: fromPromise(createPost(around)),
    rereadRow: fromPromise(rereadRow),
    markDelivered: fromPromise(markDelivered),
    handBack: fromPromise(handBack),
    beat: fromPromise(createBeat(around)),
  };
}

function createRun(around: LaneSurroundings): Io<'runAgent'> {
  const { gateway, journal, sessions } = around;
  return async ({ input: { delivery, trial }, signal }) => {
    if (delivery?.agent == null || delivery.deliverySessionKey === undefined) {
      throw new Fault('bug', 'a run needs an agent and a session');
    }
    const { notification, agent, deliverySessionKey: sessionKey } = delivery;
    const typing = startTyping(around, notification._id);
    const attempts = journal.beginAttempt(notification._id);
    const started = performance.now();
    try {
      const reply = await sessions.run(sessionKey, signal, () =>
        gateway.respond({ agentSlug: agent.slug, sessionKey, ...buildPrompt(delivery), signal }),
      );
      journal.saveReply(notification._id, reply, versionOf(notification));
      const runMs = Math.round(performance.now() - started);
      around.countRun('replied', runMs / 1_000);
      return { reply, attempts, runMs };
    } catch (error) {
      const { kind } = faultOf(error);
      if (isAttempt(kind)) around.countRun(kind, (performance.now() - started) / 1_000);
      if (!isAttempt(kind) || trial) journal.refundAttempt(notification._id);
      void typing.then(() => endTyping(around, notification._id));
      throw error;
    }
  };
}

/** The typing indicator: the run does not wait for it, and its failure is only logged (contract, section 9). */
async function startTyping({ missionControl, log }: LaneSurroundings, notificationId: string): Promise<void> {
  try {
    await missionControl.markRead(notificationId);
  } catch (error) {
    log.debug('typing.notStarted', 'The typing indicator could not be switched on', {
      notificationId,
      error,
    });
  }
}

async function endTyping({ missionControl, log }: LaneSurroundings, notificationId: string): Promise<void> {
  try {
    await missionControl.markDeliveryEnded(notificationId);
  } catch (error) {
    log.debug('typing.notEnded', 'The typing indicator could not be switched off', { notificationId, error });
  }
}

function createPost({ missionControl, journal, log }: LaneSurroundings): Io<'postMessage'> {
  return async ({ input: { row, version, content, withSource, quiet, startsTask }, signal }) => {
    if (row?.taskId === undefined || version === null) {
      throw new Fault('bug', 'a message needs a row with a task');
    }
    const { taskId, recipientId: agentId } = row;
    const message = {
      taskId,
      agentId,
      content,
      ...(withSource && { sourceNotificationId: row._id }),
      ...(quiet && { suppressAgentNotifications: true }),
    };
    await missionControl.postMessage(message, signal);
    journal.markPosted(row._id, version);
    if (!startsTask) return;
    try {
      const change = { taskId, agentId, status: 'in_progress', expectedStatus: 'assigned' } as const;
      await missionControl.updateTaskStatus(change, signal);
    } catch (error) {
      log.warn('task.notStarted', 'The task could not be moved to in_progress', { taskId, error });
    }
  };
}
