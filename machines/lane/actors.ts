import { fromPromise } from 'xstate';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import type { LaneEntry, RowVersion } from './context.ts';
import type { Job } from './job.ts';
import type { LaneReply } from './reply.ts';

const notProvided = (): Promise<never> =>
  Promise.reject(new Error('this actor is provided by src/runtime.ts'));

/** The I/O of a lane. src/actors/lane.ts provides it; tests provide their own. */
export const laneActors = {
  /** Reads the row's delivery context and what the journal knows of it. */
  loadJob: fromPromise<
    {
      delivery: DeliveryContext | null;
      entry: LaneEntry;
      /** The backend can bring the row to its end in one call (`completeDelivery`). */
      completes: boolean;
    },
    { notificationId: string }
  >(notProvided),
  /**
   * Counts the attempt, runs the agent, keeps the reply. An attempt that did not begin, or was a trial, is taken back.
   * With `startsOver` the attempts and the reply that the journal has are of an older message, and go first.
   */
  runAgent: fromPromise<
    { reply: LaneReply; attempts: number; runMs: number },
    { delivery: DeliveryContext | null; trial: boolean; startsOver: boolean }
  >(notProvided),
  /** Posts to the task's thread and remembers that it did. */
  postMessage: fromPromise<
    void,
    {
      row: NotificationRow | null;
      /** The row version that this message answers. */
      version: RowVersion | null;
      content: string;
      /** Only the first message of a notification may carry its id: the backend drops the text of a second. */
      withSource: boolean;
      /** A note of ours: other agents are not called by it. */
      quiet: boolean;
      /** The assignee has answered: the task moves to in_progress. */
      startsTask: boolean;
      /** The newest message of the thread as the lane read it; null when there was none. */
      after: string | null;
    }
  >(notProvided),
  /**
   * Posts the reply once, moves the task, and marks the row if it is still at this version: in one transaction of the
   * backend, and the same as often as it is asked for. A row that has moved is given back, unmarked unless it was.
   */
  completeDelivery: fromPromise<
    DeliveryContext | null,
    {
      row: NotificationRow | null;
      version: RowVersion | null;
      /** null: there is nothing to post. */
      content: string | null;
      /** No message of this notification was posted yet. */
      withSource: boolean;
      startsTask: boolean;
    }
  >(notProvided),
  /** Reads the row again, to see whether it has moved. */
  rereadRow: fromPromise<DeliveryContext | null, { notificationId: string }>(notProvided),
  /**
   * Marks the row delivered and forgets it. With `version`, of a row that newer messages are coalesced into, it looks
   * at the row once more: one that moved before the mark is given back, and not forgotten. The `next` row of the
   * session may be read meanwhile.
   */
  markDelivered: fromPromise<
    DeliveryContext | null,
    { notificationId: string; version: RowVersion | null; next: string | null }
  >(notProvided),
  /** Ends the typing indicator; with `refund` the last attempt is taken back. */
  handBack: fromPromise<void, { notificationId: string; refund: boolean }>(notProvided),
  /** One whole heartbeat on the agent's system session. */
  beat: fromPromise<{ runMs: number }, { job: Job | null }>(notProvided),
};
