/** Whom an orchestrator's beat asks about work that stands still: pure, from the tasks that it has read. */
import type { KnownAgent } from '../shared/acting.ts';
import type { TaskRow } from '../shared/mission-control.ts';

const MINUTE_MS = 60_000;
const STALE_MS = 15 * MINUTE_MS;
const BLOCKED_STALE_MS = 24 * 60 * MINUTE_MS;
/** The most tasks that one beat asks about. */
const MOST_ASKED = 3;

/** When nothing has happened for this long, the assignees are asked. Infinity: nobody is asked in this status. */
function staleAfterMs({ status }: TaskRow): number {
  if (status === 'in_progress' || status === 'assigned') return STALE_MS;
  return status === 'blocked' ? BLOCKED_STALE_MS : Infinity;
}

export interface FollowUp {
  taskId: string;
  /** The assignees, without the one who asks. */
  recipientSlugs: string[];
  message: string;
}

/**
 * What is to be asked, the oldest first, at most three tasks. Mission Control itself does not ask a recipient twice
 * who was asked and has not answered.
 * @param beat `now` by the clock of this machine, in milliseconds; `known` the agents of the account
 */
export function staleFollowUps(
  tasks: readonly TaskRow[],
  beat: { now: number; askerId: string; known: readonly KnownAgent[] },
): FollowUp[] {
  const { now, askerId, known } = beat;
  return tasks
    .filter((task) => now - lastUpdate(task) >= staleAfterMs(task))
    .toSorted((a, b) => lastUpdate(a) - lastUpdate(b))
    .map((task) => ({
      taskId: task._id,
      recipientSlugs: known
        .filter(({ _id }) => _id !== askerId && task.assignedAgentIds.includes(_id))
        .map(({ slug }) => slug)
        .slice(0, MOST_RECIPIENTS),
      message: messageFor(task, Math.floor((now - lastUpdate(task)) / MINUTE_MS)),
    }))
    .filter(({ recipientSlugs }) => recipientSlugs.length > 0)
    .slice(0, MOST_ASKED);
}

/** Of one request, by the contract. */
const MOST_RECIPIENTS = 10;

const lastUpdate = ({ updatedAt, lastMessageAt = 0 }: TaskRow): number => Math.max(updatedAt, lastMessageAt);

/** Task titles are people's text and stay out of it: the recipient sees the task beside the request. */
function messageFor({ status }: TaskRow, minutes: number): string {
  const age = minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`;
  return status === 'blocked'
    ? `This task has been blocked for ${age} without news. Does it still wait for the same thing? Say in the thread what is needed, or go on.`
    : `Nothing has happened on this task for ${age}. Say in the thread how far it is and what comes next; if something stops you, set it to blocked and say what.`;
}
