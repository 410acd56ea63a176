import { fromPromise, type InputFrom, type OutputFrom } from 'xstate';
import type { Message, notificationActors } from '../../machines/notification/actors.ts';
import {
  handedBack,
  replied,
  callAnswered,
  called,
  markBegan,
  type Entry,
} from '../../machines/notification/entry.ts';
import { hasMoved, isSameVersion, versionOf } from '../../machines/notification/version.ts';
import { meaningOf } from '../../machines/notification/reply.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { DeliveryContext } from '../../machines/shared/mission-control.ts';
import { actingOn } from '../../machines/shared/acting.ts';
import type { ToolMode } from '../../machines/shared/acting.ts';
import { countCalls, mayCall } from '../../machines/shared/rounds.ts';
import { notificationLine } from '../gateway/prompt-tools.ts';
import { buildPrompt } from '../gateway/prompt.ts';
import type { Execute } from '../tools/execute.ts';
import { toolsFor } from '../tools/offer.ts';
import type { ReportCall } from '../tools/report.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl, PostMessage, Reply } from '../ports.ts';
import { makeCall } from './make-call.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Entries } from './entries.ts';
import { findMessage } from './find-message.ts';
import { playRound, requestOf, type RoundSurroundings } from './round.ts';

export interface Surroundings extends RoundSurroundings {
  missionControl: MissionControl;
  entries: Entries;
  letters: DeadLetters;
  log: Log;
  tools: NotificationTools;
}

/** How an agent acts in a run (docs/agents.md). */
export interface NotificationTools {
  mode: ToolMode;
  execute: Execute;
  report: ReportCall;
}

type Actors = typeof notificationActors;

type Io<TName extends keyof Actors> = (args: {
  input: InputFrom<Actors[TName]>;
  signal: AbortSignal;
}) => Promise<OutputFrom<Actors[TName]>>;

/** The I/O of a notification, as its machine asks for it (machines/notification/actors.ts says what each does). */
export function createNotificationActors(around: Surroundings) {
  return {
    readContext: fromPromise(createRead(around)),
    runAgent: fromPromise(createRun(around)),
    makeCall: fromPromise(createMakeCall(around)),
    endTyping: fromPromise(createEndTyping(around)),
    ...postActors(around),
    ...markActors(around),
    handBack: fromPromise(createHandBack(around)),
  };
}

function createRead({ missionControl }: Surroundings): Io<'readContext'> {
  return async ({ input: { id, given }, signal }) => {
    const completes = missionControl.completes();
    if (given !== null) return { delivery: given, completes, typing: true };
    return { ...(await missionControl.beginDelivery(id, signal)), completes };
  };
}

function createRun(around: Surroundings): Io<'runAgent'> {
  const { entries } = around;
  return async ({ input: { id, entry, delivery, typing, ranMs, signs }, signal }) => {
    if (delivery?.agent == null || delivery.deliverySessionKey === undefined) {
      throw new Fault('bug', 'a run needs an agent and a session');
    }
    const indicator = typing ? Promise.resolve() : startTyping(around, id);
    const round = {
      agent: delivery.agent,
      sessionKey: delivery.deliverySessionKey,
      request: firstOrNext(delivery, entry, around.tools.mode),
      ranMs,
      signs,
      // Kept the moment that it is complete: a process that dies before that has the agent run again.
      onReply: (reply: Reply) => entries.writeIfPossible(id, afterRound(entry, reply, delivery)),
      meaningOf: (reply: Reply) => (goesOn(entry, reply) ? null : meaningOf(keptReply(entry, reply))),
    };
    try {
      await entries.write(id, entry);
      const { reply, runMs, spent } = await playRound(around, round, signal);
      return { reply: keptReply(entry, reply), calls: reply.calls, runMs, spent };
    } catch (error) {
      await indicator;
      throw error;
    }
  };
}

function firstOrNext(delivery: DeliveryContext, { rounds, attempts }: Entry, mode: ToolMode) {
  const acting = actingOn(delivery);
  const offered = acting === null ? [] : toolsFor(acting, mode);
  const repeat = attempts > 1;
  const lastLine = notificationLine(delivery.notification._id);
  return requestOf(buildPrompt(delivery, { tools: offered, repeat }), rounds, { offered, repeat, lastLine });
}

const keptReply = ({ rounds }: Entry, { text, toolCalls }: Reply) => ({
  text,
  toolCalls: toolCalls + countCalls(rounds),
});

/** Whether another round follows, with what the agent's calls gave. */
const goesOn = ({ rounds }: Entry, { calls }: Reply): boolean => calls.length > 0 && mayCall(rounds);

function afterRound(entry: Entry, reply: Reply, { notification, task }: DeliveryContext): Entry {
  const version = versionOf(notification);
  return goesOn(entry, reply)
    ? called(entry, reply.calls, { version, taskStatus: task?.status ?? null })
    : replied(entry, keptReply(entry, reply), version);
}

/** A call is in the journal before it is made, and again when it is answered: a crash between the two makes it a repeat. */
function createMakeCall({ entries, tools }: Surroundings): Io<'makeCall'> {
  return async ({ input: { id, entry, version, ...call }, signal }) => {
    await entries.write(id, entry);
    const plan = { ...call, rounds: entry.rounds, since: version?.createdAt ?? null, signal };
    const answer = await makeCall(tools, plan, id);
    await entries.writeIfPossible(id, callAnswered(entry, answer));
    return answer;
  };
}

/** The run does not wait for the typing indicator, and its failure is only logged (docs/contract.md#before-a-run). */
async function startTyping({ missionControl, log }: Surroundings, notificationId: string): Promise<void> {
  try {
    await missionControl.markRead(notificationId);
  } catch (error) {
    log.debug('typing.notStarted', 'The typing indicator could not be switched on', {
      notificationId,
      error,
    });
  }
}

const createEndTyping =
  ({ entries, missionControl }: Surroundings): Io<'endTyping'> =>
  async ({ input: { id, entry }, signal }) => {
    entries.keep(id, entry);
    await missionControl.markDeliveryEnded(id, signal);
  };

const createHandBack =
  ({ entries, missionControl }: Surroundings): Io<'handBack'> =>
  async ({ input: { id, entry }, signal }) => {
    entries.keep(id, handedBack(entries.read(id), entry));
    await missionControl.markDeliveryEnded(id, signal);
  };

function postActors(around: Surroundings) {
  const { missionControl, entries, log } = around;
  const startTask = async ({ row, startsTask }: Message, signal: AbortSignal): Promise<void> => {
    if (!startsTask || row.taskId === undefined) return;
    const change = { status: 'in_progress', expectedStatus: 'assigned' } as const;
    try {
      await missionControl.updateTaskStatus(
        { taskId: row.taskId, agentId: row.recipientId, ...change },
        signal,
      );
    } catch (error) {
      log.warn('task.notStarted', 'The task could not be moved to in_progress', {
        taskId: row.taskId,
        error,
      });
    }
  };
  const postMessage: Io<'postMessage'> = async ({ input, signal }) => {
    // After a note no process may run the agent again: its reply could not be posted under the same id.
    if (input.quiet) await entries.writeIfPossible(input.row._id, input.entry);
    const message = { ...messageOf(input), sourceNotificationId: input.row._id };
    await missionControl.postMessage(message, signal);
    await startTask(input, signal);
  };
  const postAgain: Io<'postAgain'> = async ({ input, signal }) => {
    await entries.writeIfPossible(input.row._id, input.entry);
    await missionControl.postMessage(messageOf(input), signal);
    await startTask(input, signal);
  };
  const lookForMessage: Io<'findMessage'> = async ({ input, signal }) => {
    const { begun } = input.entry;
    if (begun === null) return { found: false, mayArriveForMs: 0 };
    return findMessage(missionControl, messageOf(input), begun, signal);
  };
  return {
    postMessage: fromPromise(postMessage),
    postAgain: fromPromise(postAgain),
    findMessage: fromPromise(lookForMessage),
  };
}

function messageOf({ row, content, quiet }: Message): PostMessage {
  if (row.taskId === undefined) throw new Fault('bug', 'a message needs a row with a task');
  return {
    taskId: row.taskId,
    agentId: row.recipientId,
    content,
    ...(quiet && { suppressAgentNotifications: true }),
  };
}

function markActors({ missionControl, entries, letters }: Surroundings) {
  const completeDelivery: Io<'completeDelivery'> = async ({ input, signal }) => {
    const { id, entry, version, content, startsTask } = input;
    if (entry.begun !== null) await entries.writeIfPossible(id, entry);
    const reply = content === null ? null : { content, first: entry.posts === 0, startsTask };
    const moved = await missionControl.completeDelivery({ notificationId: id, version, reply }, signal);
    if (moved === null) entries.finish(id, markBegan(entry, version));
    return moved;
  };
  const rereadRow: Io<'rereadRow'> = ({ input: { id, entry }, signal }) => {
    entries.keep(id, entry);
    return missionControl.loadContext(id, signal);
  };
  const markDelivered: Io<'markDelivered'> = async ({ input: { id, entry, version }, signal }) => {
    // The journal says which version the mark is for, in case the process dies between the mark and the last look.
    const kept = version && entries.read(id)?.answered;
    if (version !== null && (kept == null || !isSameVersion(kept, version))) {
      await entries.writeIfPossible(id, entry);
    }
    await missionControl.markDelivered(id, signal);
    const isListedAgain = entries.isFinished(id);
    // After the mark no message is coalesced into the row any more, so its version now is final.
    const last = version !== null || isListedAgain ? await missionControl.loadContext(id, signal) : null;
    if (version !== null && last !== null && hasMoved(last.notification, version)) return last;
    entries.finish(id, entry);
    if (isListedAgain && last !== null && last.notification.deliveredAt === undefined) {
      throw new Fault(
        'backendRejected',
        'markNotificationDelivered succeeds, and the row stays undelivered.',
      );
    }
    return null;
  };
  const keepDeadLetter: Io<'keepDeadLetter'> = ({ input: { row, title, text, reason } }) =>
    letters.bury({
      notificationId: row._id,
      taskId: row.taskId ?? null,
      agentId: row.recipientId,
      title,
      text,
      reason,
      at: Date.now(),
    });
  return {
    keepDeadLetter: fromPromise(keepDeadLetter),
    completeDelivery: fromPromise(completeDelivery),
    rereadRow: fromPromise(rereadRow),
    markDelivered: fromPromise(markDelivered),
  };
}
