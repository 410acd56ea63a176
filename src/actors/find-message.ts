import type { PostBegun } from '../../machines/notification/entry.ts';
import type { Looked } from '../../machines/shared/child.ts';
import { MAX_THREAD, type ThreadMessage } from '../../machines/shared/mission-control.ts';
import { leastMsSince } from '../moment.ts';
import type { MissionControl, PostMessage } from '../ports.ts';

/** A post that has had no effect for this long will have none: no call takes longer. */
const ARRIVES_WITHIN_MS = 30_000;

/** Where Convex shows messages cut, it cuts them here, in UTF-16 units (docs/contract.md#delivery-context). */
const MAX_SHOWN = 2_000;

/** Whether a message whose post was begun is in its thread; else how long it may still arrive, in milliseconds. */
export async function findMessage(
  missionControl: Pick<MissionControl, 'loadThread'>,
  message: PostMessage,
  begun: PostBegun,
  signal: AbortSignal,
): Promise<Looked> {
  // Taken before the look: what arrives during the look is found by the next one.
  const mayArriveForMs = Math.max(0, ARRIVES_WITHIN_MS - leastMsSince(begun.at));
  const { agentId, taskId } = message;
  const thread = await missionControl.loadThread(agentId, taskId, MAX_THREAD, signal);
  return { found: isInThread(thread, message, begun), mayArriveForMs };
}

/** Whether the message came into the thread after the post began: a reply may say the same as an earlier one. */
function isInThread(thread: readonly ThreadMessage[], message: PostMessage, { after }: PostBegun): boolean {
  const content = message.content.toWellFormed();
  const shown = content.length > MAX_SHOWN ? `${content.slice(0, MAX_SHOWN)}…` : content;
  const last = thread.findIndex(({ messageId }) => messageId === after);
  return thread
    .slice(last + 1)
    .some((entry) => entry.authorId === message.agentId && [content, shown].includes(entry.content));
}
