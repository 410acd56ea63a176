import { setTimeout as sleep } from 'node:timers/promises';
import type { ThreadMessage } from '../../machines/shared/mission-control.ts';
import { leastMsSince } from '../journal/moment.ts';
import type { PostBegun, PostMessage } from '../ports.ts';
import { syncedOrTold, type LaneSurroundings } from './lane.ts';

/** In milliseconds. */
export interface PostTiming {
  /** A post that had no effect for so long after it was begun will have none: as long as a call may take. */
  settlesAfterMs: number;
  /** How often the thread is looked at until then. */
  lookEveryMs: number;
}

export const POST_TIMING: PostTiming = { settlesAfterMs: 30_000, lookEveryMs: 3_000 };

/**
 * Posts a message that cannot carry its notification's id, by which the backend would know it again: a second reply.
 * That it is begun is in the journal before it goes out. Where an earlier try was begun (by this process or one that
 * died) and its end is not known, the message is looked for in the thread, until that try can no longer arrive.
 */
export function createSecondPost({ missionControl, journal, log }: LaneSurroundings, timing: PostTiming) {
  const isThere = async (message: PostMessage, begun: PostBegun, signal: AbortSignal): Promise<boolean> => {
    const { agentId, taskId } = message;
    return isInThread(
      await missionControl.loadThread(agentId, taskId, MAX_LOOKED_AT, signal),
      message,
      begun,
    );
  };
  const hasArrived = async (
    message: PostMessage,
    begun: PostBegun,
    signal: AbortSignal,
  ): Promise<boolean> => {
    for (;;) {
      const left = timing.settlesAfterMs - leastMsSince(begun.at);
      if (await isThere(message, begun, signal)) return true;
      if (left <= 0) return false;
      log.info(
        'post.unsure',
        'An earlier try to post a reply may still arrive: waits for it before posting',
        {
          taskId: message.taskId,
          leftMs: Math.round(left),
        },
      );
      await sleep(Math.min(left, timing.lookEveryMs), undefined, { signal });
    }
  };
  return async (
    notificationId: string,
    message: PostMessage,
    after: string | null,
    signal: AbortSignal,
  ): Promise<void> => {
    const begun = journal.read(notificationId)?.begun ?? null;
    if (begun !== null && (await hasArrived(message, begun, signal))) return;
    journal.beginPost(notificationId, begun === null ? after : begun.after);
    await syncedOrTold(journal);
    await missionControl.postMessage(message, signal);
  };
}

/** The backend gives no more messages of a thread at once (contract, section 4). */
const MAX_LOOKED_AT = 200;

/** Where the backend shows messages cut, it cuts them here, in UTF-16 units (contract, section 5). */
const MAX_SHOWN = 2_000;

/** Whether the message came into the thread after the post was begun; a reply may well say the same as an earlier one. */
function isInThread(thread: readonly ThreadMessage[], message: PostMessage, { after }: PostBegun): boolean {
  const content = message.content.toWellFormed();
  const shown = content.length > MAX_SHOWN ? `${content.slice(0, MAX_SHOWN)}…` : content;
  const last = thread.findIndex(({ messageId }) => messageId === after);
  return thread
    .slice(last + 1)
    .some((entry) => entry.authorId === message.agentId && [content, shown].includes(entry.content));
}
