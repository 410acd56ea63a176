import type { DumpedMessage, DumpedNotification, DumpedState } from '../kits/contract-backend/dump.ts';
import type { Evidence, Run } from './evidence.ts';

type History = NonNullable<DumpedState['history']>['notifications'][string];

/** What happened, arranged for the checks. */
export interface Index extends Evidence {
  /** Rows of agents. */
  rows: DumpedNotification[];
  historyOf(notificationId: string): History;
  /** Of one notification, in the order of their starts; only those that the gateway took. */
  runsOf(notificationId: string): Run[];
  /** The message that a run's reply became. */
  replyOf(run: Run): DumpedMessage | undefined;
  /** When a message came into its thread. */
  postedAt(message: DumpedMessage): number;
  /** The agents' replies by run, all of them: more than one is a duplicate. */
  replies: ReadonlyMap<number, DumpedMessage[]>;
  /** The notes in the threads for notifications that are given up. */
  notes: readonly DumpedMessage[];
}

/** Every other message of an agent is a reply. */
const isNote = ({ authorType, content }: DumpedMessage): boolean =>
  authorType === 'agent' && !content.startsWith('reply ');

const NO_HISTORY: History = { versions: [], loads: [], deliveredAt: null };

export function createIndex(evidence: Evidence): Index {
  const { runs, state } = evidence;
  const runsByRow = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.notificationId === null || run.begunAt === null) continue;
    const known = runsByRow.get(run.notificationId);
    if (known === undefined) runsByRow.set(run.notificationId, [run]);
    else known.push(run);
  }
  const replies = new Map<number, DumpedMessage[]>();
  for (const message of state.messages) {
    const id = Number(/^reply (\d+) to /.exec(message.content)?.[1]);
    if (message.authorType === 'agent' && !Number.isNaN(id)) {
      replies.set(id, [...(replies.get(id) ?? []), message]);
    }
  }
  return {
    ...evidence,
    rows: state.notifications.filter(({ recipientType }) => recipientType === 'agent'),
    historyOf: (id) => state.history?.notifications[id] ?? NO_HISTORY,
    runsOf: (id) => runsByRow.get(id) ?? [],
    replyOf: ({ id }) => replies.get(id)?.[0],
    postedAt: ({ _id }) => state.history?.messages[_id] ?? 0,
    replies,
    notes: state.messages.filter(isNote),
  };
}
