import { fromPromise } from 'xstate';
import type { InputFrom, OutputFrom } from 'xstate';
import type { laneActors } from '../../machines/lane/actors.ts';
import { hasMoved, isAlone, isSameVersion, NOTHING_KNOWN, versionOf } from '../../machines/lane/context.ts';
import { Fault, faultOf, isAttempt, type FaultKind } from '../../machines/shared/fault.ts';
import type { Log } from '../logging/log.ts';
import { buildPrompt } from '../gateway/prompt.ts';
import type { Gateway, Journal, MissionControl, Reply } from '../ports.ts';
import { createBeat } from './beat.ts';
import type { Prefetched } from './prefetched.ts';
import { createSecondPost, POST_TIMING, type PostTiming } from './second-post.ts';
import type { SessionLock } from './session-lock.ts';

export interface LaneSurroundings {
  missionControl: MissionControl;
  gateway: Gateway;
  journal: Journal;
  sessions: SessionLock;
  prefetched: Prefetched;
  log: Log;
  /** Told of every run that began, with its length in seconds. */
  countRun: (outcome: 'replied' | FaultKind, seconds: number) => void;
}

type Io<TName extends keyof typeof laneActors> = (args: {
  input: InputFrom<(typeof laneActors)[TName]>;
  signal: AbortSignal;
}) => Promise<OutputFrom<(typeof laneActors)[TName]>>;

/** The I/O of a lane, as its machine asks for it (machines/lane/actors.ts says what each does). */
export function createLaneActors(around: LaneSurroundings, timing: PostTiming = POST_TIMING) {
  const { missionControl, journal, prefetched } = around;
  const loadJob: Io<'loadJob'> = async ({ input: { notificationId }, signal }) => {
    const entry = journal.read(notificationId);
    const delivery = (await prefetched.take(notificationId)) ?? (await begin(notificationId, signal));
    // A post that was begun by the contract's own steps is brought to its end by them: the backend cannot know it.
    const completes = missionControl.completes() && (entry?.begun ?? null) === null;
    return { entry: entry ?? NOTHING_KNOWN, delivery, completes };
  };
  const begin = async (notificationId: string, signal: AbortSignal) => {
    const { delivery, typing } = await missionControl.beginDelivery(notificationId, signal);
    if (typing) prefetched.noteTyping(notificationId);
    return delivery;
  };
  const completeDelivery: Io<'completeDelivery'> = async ({ input, signal }) => {
    const { row, version, content, withSource: first, startsTask } = input;
    if (row === null || version === null) throw new Fault('bug', 'a completion needs a row');
    const reply = content === null ? null : { content, first, startsTask };
    const notificationId = row._id;
    const moved = await missionControl.completeDelivery({ notificationId, version, reply }, signal);
    if (moved === null) journal.forget(notificationId);
    else if (reply !== null) journal.markPosted(notificationId, version);
    return moved;
  };
  const rereadRow: Io<'rereadRow'> = ({ input, signal }) =>
    missionControl.loadContext(input.notificationId, signal);
  const markDelivered: Io<'markDelivered'> = async ({ input, signal }) => {
    const { notificationId, version, next } = input;
    // The thread has all of this one's answer by now, so what is read for the next one is whole.
    if (next !== null) prefetched.keepNext(next, missionControl.loadContext(next));
    // A process that dies between the mark and the look leaves word of what the mark is for.
    const known = version && journal.read(notificationId)?.answered;
    if (version !== null && (known == null || !isSameVersion(known, version))) {
      journal.markSettled(notificationId, version);
      await syncedOrTold(journal);
    }
    prefetched.isTyping(notificationId);
    await missionControl.markDelivered(notificationId, signal);
    // From the mark on nothing more is coalesced into the row: what it says now is final.
    const last = version && (await missionControl.loadContext(notificationId, signal));
    if (version !== null && last !== null && hasMoved(last.notification, version)) return last;
    journal.forget(notificationId);
    return null;
  };
  const handBack: Io<'handBack'> = async ({ input, signal }) => {
    prefetched.isTyping(input.notificationId);
    if (input.refund) journal.refundAttempt(input.notificationId);
    await missionControl.markDeliveryEnded(input.notificationId, signal);
  };
  return {
    loadJob: fromPromise(loadJob),
    runAgent: fromPromise(createRun(around)),
    completeDelivery: fromPromise(completeDelivery),
    postMessage: fromPromise(createPost(around, timing)),
    rereadRow: fromPromise(rereadRow),
    markDelivered: fromPromise(markDelivered),
    handBack: fromPromise(handBack),
    beat: fromPromise(createBeat(around)),
  };
}

function createRun(around: LaneSurroundings): Io<'runAgent'> {
  const { gateway, journal, sessions, prefetched } = around;
  return async ({ input: { delivery, trial, startsOver }, signal }) => {
    if (delivery?.agent == null || delivery.deliverySessionKey === undefined) {
      throw new Fault('bug', 'a run needs an agent and a session');
    }
    const { notification, agent, deliverySessionKey: sessionKey } = delivery;
    if (startsOver) journal.startOver(notification._id);
    // First: a run that cannot be counted does not start.
    const attempts = journal.beginAttempt(notification._id);
    // At once, and not when the socket is gone: a process that leaves may have closed the journal by then.
    const takeBack = (): void => journal.refundAttempt(notification._id);
    signal.addEventListener('abort', takeBack, { once: true });
    const typing = prefetched.isTyping(notification._id)
      ? Promise.resolve()
      : startTyping(around, notification._id);
    const started = performance.now();
    try {
      await journal.synced();
      // Kept the moment that it is whole: a process that dies between the two has the agent run again.
      const onReply = (reply: Reply): Promise<void> => {
        signal.removeEventListener('abort', takeBack);
        journal.saveReply(notification._id, reply, versionOf(notification));
        return syncedOrTold(journal);
      };
      const prompt = buildPrompt(delivery);
      const reply = await sessions.run(sessionKey, signal, () =>
        gateway.respond({ agentSlug: agent.slug, sessionKey, ...prompt, signal, onReply }),
      );
      const runMs = Math.round(performance.now() - started);
      around.countRun('replied', runMs / 1_000);
      return { reply, attempts, runMs };
    } catch (error) {
      const kind = signal.aborted ? 'aborted' : faultOf(error).kind;
      if (isAttempt(kind)) around.countRun(kind, (performance.now() - started) / 1_000);
      if (!signal.aborted && (!isAttempt(kind) || trial)) takeBack();
      void typing.then(() => endTyping(around, notification._id));
      throw error;
    } finally {
      signal.removeEventListener('abort', takeBack);
    }
  };
}

/** The journal tells of a disk that fails; what has begun goes on, for it is written all the same. */
export const syncedOrTold = (journal: Pick<Journal, 'synced'>): Promise<void> =>
  journal.synced().catch((error: unknown) => {
    if (faultOf(error).kind !== 'journalUnavailable') throw error;
  });

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

function createPost(around: LaneSurroundings, timing: PostTiming): Io<'postMessage'> {
  const { missionControl, journal, log } = around;
  const postAgain = createSecondPost(around, timing);
  return async ({ input: { row, version, content, withSource, quiet, startsTask, after }, signal }) => {
    if (row?.taskId === undefined || version === null) {
      throw new Fault('bug', 'a message needs a row with a task');
    }
    const { taskId, recipientId: agentId } = row;
    const message = { taskId, agentId, content, ...(quiet && { suppressAgentNotifications: true }) };
    if (withSource) await missionControl.postMessage({ ...message, sourceNotificationId: row._id }, signal);
    else await postAgain(row._id, message, after, signal);
    // A reply to a row of one message may be posted again until the mark: the backend knows it by the row's id.
    if (quiet || !withSource || !isAlone(row)) journal.markPosted(row._id, version);
    if (!startsTask) return;
    try {
      const change = { taskId, agentId, status: 'in_progress', expectedStatus: 'assigned' } as const;
      await missionControl.updateTaskStatus(change, signal);
    } catch (error) {
      log.warn('task.notStarted', 'The task could not be moved to in_progress', { taskId, error });
    }
  };
}
