/** The short note in a thread whose agent has used up its tokens of the day. */
import { mustAnswer, skipReason } from '../../machines/notification/rules.ts';
import type { RestNote, RestNoteOutput } from '../../machines/delivery/context.ts';
import type { Store } from '../journal/store.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl } from '../ports.ts';

const PREFIX = 'restNote:';

const textOf = (name: string): string =>
  `${name} has used up its tokens for today and works on this tomorrow (UTC). Nothing is lost.`;

/** Never rejects. */
export function createRestNote(around: {
  missionControl: Pick<MissionControl, 'loadContext' | 'postMessage'>;
  store: Pick<Store, 'read' | 'put'>;
  log: Pick<Log, 'warn'>;
  now?: () => number;
}) {
  const { missionControl, store, log, now = Date.now } = around;
  return async ({
    input: { session, title, notificationId },
    signal,
  }: {
    input: RestNote;
    signal: AbortSignal;
  }): Promise<RestNoteOutput> => {
    const key = `${PREFIX}${new Date(now()).toISOString().slice(0, 10)}:${session}`;
    const ended = (result: RestNoteOutput['result']): RestNoteOutput => ({
      kind: 'restNote',
      session,
      notificationId,
      result,
    });
    if (store.read(key) !== null) return ended('told');
    try {
      const delivery = await missionControl.loadContext(notificationId, signal);
      const { agent = null, task = null } = delivery ?? {};
      const isDue = delivery !== null && skipReason(delivery) === null && mustAnswer(delivery);
      if (agent === null || task === null || !isDue) return ended('notDue');
      // If the process crashes between the two, the note is missing. It is never posted twice.
      store.put(key, true);
      const note = { taskId: task._id, agentId: agent._id, content: textOf(agent.name) };
      await missionControl.postMessage({ ...note, suppressAgentNotifications: true }, signal);
      return ended('told');
    } catch (error) {
      log.warn('agent.restUntold', 'A thread could not be told that its agent rests', {
        title,
        session,
        error,
      });
      return ended(store.read(key) === null ? 'failed' : 'told');
    }
  };
}
