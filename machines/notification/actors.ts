import { fromPromise } from 'xstate';
import type { ActingAgent, ToolAnswer } from '../shared/acting.ts';
import type { Looked } from '../shared/child.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { NextCall } from '../shared/rounds.ts';
import type { Sign } from '../shared/child-messages.ts';
import type { Spent } from '../shared/spending.ts';
import type { ToolCall } from '../shared/tools.ts';
import type { Entry } from './entry.ts';
import type { Version } from './version.ts';
import type { Reply } from './reply.ts';

const notProvided = (): Promise<never> =>
  Promise.reject(new Error('this actor is provided by src/runtime.ts'));

/** Every effect names the row, and the entry that must be on the disk before the effect begins. */
export interface WriteAhead {
  id: string;
  entry: Entry;
}

/** A message for the thread. */
export interface Message extends WriteAhead {
  row: NotificationRow;
  content: string;
  /** A note of ours: it notifies no other agent. */
  quiet: boolean;
  /** The assignee has answered: the task moves to in_progress. */
  startsTask: boolean;
}

export interface ContextRead {
  delivery: DeliveryContext | null;
  /** The backend can bring the row to its end in one call. */
  completes: boolean;
  /** The typing indicator is on. */
  typing: boolean;
}

/** The I/O of a notification. src/actors/notification.ts provides it; tests provide their own. */
export const notificationActors = {
  /** Reads the delivery context; one that came with the list is taken as it is. */
  readContext: fromPromise<ContextRead, { id: string; given: DeliveryContext | null }>(notProvided),
  /**
   * One round of the agent: the run's first, or what follows the calls of the round before. What it ends with, calls or
   * a reply, is in the journal before this ends.
   */
  runAgent: fromPromise<
    { reply: Reply; calls: readonly ToolCall[]; runMs: number; spent?: Spent | null },
    WriteAhead & {
      delivery: DeliveryContext | null;
      typing: boolean;
      /** How long the run's earlier rounds took, in milliseconds. */
      ranMs: number;
      /** Hears when the gateway sends something. */
      signs: Parent<Sign>;
    }
  >(notProvided),
  /** Makes one call. `unreachable`: Convex is away for too long, so the agent is told and nothing is called. */
  makeCall: fromPromise<
    ToolAnswer,
    WriteAhead & {
      acting: ActingAgent | null;
      next: NextCall | null;
      version: Version | null;
      unreachable: boolean;
    }
  >(notProvided),
  /** Ends the typing indicator after a run that failed. */
  endTyping: fromPromise<void, WriteAhead>(notProvided),
  /** Posts the first message of the notification. Convex recognises a second post by the notification's id. */
  postMessage: fromPromise<void, Message>(notProvided),
  /** Whether a later message that was begun is in the thread; else how long it may still arrive, in milliseconds. */
  findMessage: fromPromise<Looked, Message>(notProvided),
  /** Posts a later message. Convex does not recognise a second post, so the entry says that one is begun. */
  postAgain: fromPromise<void, Message>(notProvided),
  /** Keeps a reply that cannot be posted. */
  keepDeadLetter: fromPromise<void, Message & { title: string; text: string; reason: string | null }>(
    notProvided,
  ),
  /**
   * Posts the reply once, moves the task, and marks the row if it is still at this version, in one transaction of the
   * backend. Ends with the row's context where it has moved, else with null.
   */
  completeDelivery: fromPromise<
    DeliveryContext | null,
    WriteAhead & {
      version: Version;
      /** null: there is nothing to post. */
      content: string | null;
      startsTask: boolean;
    }
  >(notProvided),
  /** Reads the row again, to see whether it has moved. */
  rereadRow: fromPromise<DeliveryContext | null, WriteAhead>(notProvided),
  /**
   * Marks the row delivered and forgets it. With `version`, of a row that newer messages are coalesced into, it reads
   * the row once more: one that moved before the mark is given back, and not forgotten.
   */
  markDelivered: fromPromise<DeliveryContext | null, WriteAhead & { version: Version | null }>(notProvided),
  /** Ends the typing indicator and leaves the row to the next list. */
  handBack: fromPromise<void, WriteAhead>(notProvided),
};
