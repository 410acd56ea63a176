import type { Index } from './index.ts';

interface Moment {
  at: number;
  text: string;
}

/**
 * What happened to the notifications of a case, in order, for whoever looks for the reason. Times are seconds since the
 * first process started.
 */
export function storyOf(index: Index, caseText: string): string[] {
  const start = index.lives[0]?.startedAt ?? 0;
  return index.rows
    .filter(({ _id }) => caseText.includes(_id))
    .flatMap(({ _id }) => momentsOf(index, _id).sort((a, b) => a.at - b.at))
    .map(({ at, text }) => `${((at - start) / 1_000).toFixed(3)} ${text}`);
}

function momentsOf(index: Index, notificationId: string): Moment[] {
  const { versions, loads, deliveredAt } = index.historyOf(notificationId);
  const about = new Map(index.state.messages.map(({ _id, content }) => [_id, content.slice(0, 60)]));
  const runs = index.runsOf(notificationId);
  return [
    ...versions.map(({ at, messageId }) => ({
      at,
      text: `row has ${about.get(messageId ?? '') ?? 'no message'}`,
    })),
    ...loads.map(({ at }) => ({ at, text: 'row is read' })),
    ...runs.map(({ id, life, about: message, startedAt, endedAt, end }) => ({
      at: startedAt,
      text: `run ${id} of process ${life} for ${message}: ${end} after ${Math.round((endedAt ?? startedAt) - startedAt)} ms`,
    })),
    ...runs.flatMap(({ id }) =>
      (index.replies.get(id) ?? []).map((reply) => ({
        at: index.postedAt(reply),
        text: `reply of run ${id} is in the thread`,
      })),
    ),
    ...(deliveredAt === null ? [] : [{ at: deliveredAt, text: 'row is marked delivered' }]),
    ...endsOf(index, notificationId),
  ];
}

/** The ends of the processes that knew of it, with what the journal then had. */
function endsOf({ lives }: Index, notificationId: string): Moment[] {
  return lives.flatMap(({ number, exitedAt, killedAt, abortedAt, journal }) => {
    const kept = journal.find(({ id }) => id === notificationId);
    if (kept === undefined) return [];
    const how = killedAt !== null ? 'is killed' : abortedAt !== null ? 'is aborted' : 'leaves';
    return [{ at: exitedAt, text: `process ${number} ${how}; journal: ${JSON.stringify(kept)}` }];
  });
}
