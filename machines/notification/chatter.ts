/**
 * Agents that only answer each other. Mission Control's rules let two agents go on for ever, and each reply costs a run,
 * so the runtime slows them down and then holds their notifications until a person writes (docs/contract.md#chatter).
 */
import type { DeliveryContext, TaskRow } from '../shared/mission-control.ts';

/** What delivery remembers of a thread in which agents answer each other. */
export interface Thread {
  taskId: string;
  title: string;
  /** How the task stood when it was last looked at. */
  standing: string;
  /** Messages up to this time do not count any more: the task changed then. Milliseconds of Convex's clock. */
  since: number;
  /** Messages of agents in a row, each of another agent than the one before. */
  chain: number;
  /** When the newest message was written, as the thread was read. */
  newest: number;
}

/** Words by which the note is recognised in a thread. */
const NOTE_START = 'The agents here only answer each other now';

export const chatterNote = (): string =>
  `${NOTE_START}, so they stop. Nothing is lost: a message of a person lets them go on.`;

/** From this reply on each one waits twice as long as the one before. */
const FIRST_PACED = 4;
const FIRST_PACE_MS = 2_000;
/** With a high AGENT_CHAIN_LIMIT the wait stays reasonable, and within what a timer can hold. */
const LONGEST_PACE_MS = 3_600_000;

/** A change of any of these is a step forward, and the count starts over. */
const standingOf = ({ status, title, priority, assignedAgentIds, assignedUserIds }: TaskRow): string =>
  JSON.stringify([status, title, priority, assignedAgentIds, assignedUserIds]);

/** Agents do not answer each other there, so nothing of it need be remembered. */
export const isQuiet = ({ chain, since }: Thread): boolean => chain < FIRST_PACED - 1 && since === 0;

/** @param known what delivery remembers of the thread; @returns null where agents do not answer each other */
export function threadOf({ task, thread }: DeliveryContext, known: Thread | null): Thread | null {
  if (task === null) return null;
  const standing = standingOf(task);
  const newest = thread.at(-1)?.createdAt ?? 0;
  const since = known === null || known.standing === standing ? (known?.since ?? 0) : newest;
  const lastPerson = thread.findLastIndex(({ authorType }) => authorType === 'user');
  const words = thread
    .slice(lastPerson + 1)
    .filter(({ createdAt, content }) => createdAt > since && !content.startsWith(NOTE_START));
  // Several messages of one agent in a row count once: it may answer several questions.
  const chain = words.filter(({ authorId }, n) => authorId !== words[n - 1]?.authorId).length;
  const read = { taskId: task._id, title: task.title, standing, since, chain, newest };
  return known === null && isQuiet(read) ? null : read;
}

/** Whether an agent's message caused the row. What a person wrote or assigned is never held. */
const isOfAgents = ({ notification, message }: DeliveryContext): boolean =>
  message?.authorType === 'agent' && notification.type !== 'assignment';

/** @param limit AGENT_CHAIN_LIMIT; 0 for none */
export const isChatter = (context: DeliveryContext, thread: Thread | null, limit: number): boolean =>
  limit > 0 && thread !== null && thread.chain >= limit && isOfAgents(context);

/** Whether the thread says so already. */
export const isChatterNoted = ({ thread }: DeliveryContext): boolean => {
  const lastPerson = thread.findLastIndex(({ authorType }) => authorType === 'user');
  return thread.slice(lastPerson + 1).some(({ content }) => content.startsWith(NOTE_START));
};

/** How long the next reply waits, in milliseconds; 0 for not at all. */
export function paceOf(context: DeliveryContext, thread: Thread | null, limit: number): number {
  if (limit === 0 || thread === null || !isOfAgents(context)) return 0;
  const reply = thread.chain + 1;
  return reply < FIRST_PACED ? 0 : Math.min(LONGEST_PACE_MS, FIRST_PACE_MS * 2 ** (reply - FIRST_PACED));
}
