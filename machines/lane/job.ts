import type { AgentRow, NotificationRow } from '../shared/mission-control.ts';

/** What a lane works on: a notification, or a heartbeat of the lane's agent. */
export type Job =
  { kind: 'notification'; row: NotificationRow } | { kind: 'beat'; agent: AgentRow; dueAt: number };

export const jobId = (job: Job): string =>
  job.kind === 'notification' ? job.row._id : `beat:${job.agent._id}`;

/** Since when the job waits: the backend's clock for a row, ours for a beat. */
export const jobTime = (job: Job): number => (job.kind === 'notification' ? job.row.createdAt : job.dueAt);

/**
 * The lane that a job belongs to. The queue's rows do not carry their session key; the backend opens one session per
 * agent and task, and one per agent for all without a task (contract, section 6), so this is one lane per session.
 */
export function laneKey(job: Job): string {
  if (job.kind === 'beat') return `lane:${job.agent._id}/system`;
  return `lane:${job.row.recipientId}/${job.row.taskId ?? 'system'}`;
}

/** How a job ended, as far as the lane is concerned. */
export type Outcome =
  /** The reply is in the thread and the row is marked. */
  | 'delivered'
  /** The agent had nothing to say; the row is marked. */
  | 'silent'
  /** A rule of the contract says: no run. The row is marked. */
  | 'skipped'
  /** The agent gave no reply; a note says so, and the row is marked. */
  | 'unanswered'
  /** Given up: a note is in the thread and the row is marked. */
  | 'parked'
  /** Somebody else has marked the row already. */
  | 'already'
  /** The row is gone or not ours: left as it is. */
  | 'left'
  /** Handed back undelivered; it will be listed again. */
  | 'released'
  /** The row can neither be delivered nor marked; looked at again much later. */
  | 'stuck'
  /** A heartbeat went through, or failed. */
  | 'beaten'
  | 'beatFailed';
