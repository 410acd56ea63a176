import { fromPromise, type InputFrom, type OutputFrom } from 'xstate';
import type { Message, notificationActors } from '../../machines/notification/actors.ts';
import {
  hasMoved,
  handedBack,
  isSameVersion,
  replied,
  versionOf,
  callAnswered,
  called,
  type Entry,
} from '../../machines/notification/entry.ts';
import { meaningOf } from '../../machines/notification/reply.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { DeliveryContext } from '../../machines/shared/mission-control.ts';
import { actingOn } from '../../machines/shared/acting.ts';
import type { ToolMode } from '../../machines/shared/acting.ts';
import { countCalls, mayCall } from '../../machines/shared/rounds.ts';
import { buildFollowUp, notificationLine } from '../gateway/prompt-tools.ts';
import { buildPrompt } from '../gateway/prompt.ts';
import { answerCall } from '../tools/answer-call.ts';
import type { Execute } from '../tools/execute.ts';
import { toolsFor } from '../tools/offer.ts';
import type { ReportCall } from '../tools/report.ts';
import type { Log } from '../logging/log.ts';
import type { Gateway, MissionControl, PostMessage, Reply } from '../ports.ts';
import { countFailure, outcomeOf, type CountRun } from './count-run.ts';
import type { Spending } from './spending.ts';
import { tellSigns } from './signs.ts';
import type { Entries } from './entries.ts';
import { findMessage } from './find-message.ts';
import type { SessionLock } from './session-lock.ts';

export interface Surroundings {
  missionControl: MissionControl;
  gateway: Gateway;
  entries: Entries;
  sessions: SessionLock;
  log: Log;
  tools: NotificationTools;
  /** Keeps what an agent uses. */
  spending: Pick<Spending, 'add'>;
  countRun: CountRun;
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
  const { gateway, entries, sessions, spending } = around;
  return async ({ input: { id, entry, delivery, typing, ranMs, signs }, signal }) => {
    if (delivery?.agent == null || delivery.deliverySessionKey === undefined) {
      throw new Fault('bug', 'a run needs an agent and a session');
    }
    const { agent, deliverySessionKey: sessionKey } = delivery;
    const indicator = typing ? Promise.resolve() : startTyping(around, id);
    const started = performance.now();
    const roundMs = (): number => performance.now() - started;
    const seconds = (): number => (ranMs + roundMs()) / 1_000;
    // Kept the moment that it is whole: a process that dies between the two has the agent run again.
    const onReply = (reply: Reply): Promise<void> =>
      entries.writeIfPossible(id, afterRound(entry, reply, delivery));
    const heard = tellSigns(signs, signal);
    try {
      await entries.write(id, entry);
      const round = roundOf(delivery, entry, around.tools.mode);
      const reply = await sessions.run(sessionKey, signal, () =>
        gateway.respond({
          agentSlug: agent.slug,
          sessionKey,
          ...round,
          signal,
          onReply,
          onSign: heard.onSign,
        }),
      );
      const kept = keptReply(entry, reply);
      if (!goesOn(entry, reply)) around.countRun(outcomeOf(meaningOf(kept)), seconds());
      const spent = spending.add(agent, reply.usage);
      return { reply: kept, calls: reply.calls, runMs: Math.round(roundMs()), spent };
    } catch (error) {
      countFailure(around.countRun, error, seconds(), signal);
      await indicator;
      throw error;
    } finally {
      heard.end();
    }
  };
}

/** What is sent: the run's first request, or the answers to the calls of the round before. */
function roundOf(delivery: DeliveryContext, { rounds, attempts }: Entry, mode: ToolMode) {
  const acting = actingOn(delivery);
  const offered = acting === null ? [] : toolsFor(acting, mode);
  const repeat = attempts > 1;
  const prompt = buildPrompt(delivery, { tools: offered, repeat });
  const more = mayCall(rounds);
  const tools = offered.length > 0 && more ? { tools: offered } : {};
  if (rounds.count === 0) return { ...prompt, ...tools };
  const input = buildFollowUp({
    results: rounds.calls.map(({ call, answer }) => ({ name: call.name, output: answer?.output ?? '' })),
    more,
    repeat,
    lastLine: notificationLine(delivery.notification._id),
  });
  return { ...prompt, input, ...tools };
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
  return async ({ input: { id, entry, acting, next, version, unreachable }, signal }) => {
    if (acting === null || next === null) throw new Fault('bug', 'a call needs an agent');
    const { rounds } = entry;
    await entries.write(id, entry);
    const started = performance.now();
    const plan = { acting, rounds, since: version?.createdAt ?? null, unreachable, signal };
    const answer = await answerCall(tools.execute, next, plan);
    await entries.writeIfPossible(id, callAnswered(entry, answer));
    const ms = Math.round(performance.now() - started);
    tools.report(next.call, answer, { agent: acting.slug, notification: id, round: rounds.count, ms });
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
    // A process that dies behind a note must not run the agent again: the reply could not be posted under the same id.
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

function markActors({ missionControl, entries }: Surroundings) {
  const completeDelivery: Io<'completeDelivery'> = async ({ input, signal }) => {
    const { id, entry, version, content, startsTask } = input;
    if (entry.begun !== null) await entries.writeIfPossible(id, entry);
    const reply = content === null ? null : { content, first: entry.posts === 0, startsTask };
    const moved = await missionControl.completeDelivery({ notificationId: id, version, reply }, signal);
    if (moved === null) entries.forget(id);
    return moved;
  };
  const rereadRow: Io<'rereadRow'> = ({ input: { id, entry }, signal }) => {
    entries.keep(id, entry);
    return missionControl.loadContext(id, signal);
  };
  const markDelivered: Io<'markDelivered'> = async ({ input: { id, entry, version }, signal }) => {
    // A process that dies between the mark and the last look leaves word of what the mark is for.
    const kept = version && entries.read(id)?.answered;
    if (version !== null && (kept == null || !isSameVersion(kept, version))) {
      await entries.writeIfPossible(id, entry);
    }
    await missionControl.markDelivered(id, signal);
    // From the mark on nothing more is coalesced into the row: what it says now is final.
    const last = version && (await missionControl.loadContext(id, signal));
    if (version !== null && last !== null && hasMoved(last.notification, version)) return last;
    entries.forget(id);
    return null;
  };
  const keepDeadLetter: Io<'keepDeadLetter'> = ({ input: { row, text, reason } }) =>
    entries.bury({
      notificationId: row._id,
      taskId: row.taskId ?? null,
      agentId: row.recipientId,
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
