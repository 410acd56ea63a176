/** What a page says about rows that are in the queue already: newer messages were coalesced into them. */
import { itemId, itemTime, sessionKey, type Item, type Queue, type Session } from './queue.ts';

/** Sessions that rest, and that the page has news for: their row has moved, or another one of theirs waits. */
export const stirredBy = (queue: Queue, page: readonly Item[]): Session[] =>
  queue.counts.resting === 0
    ? []
    : queue.sessions.filter(({ key, phase, items: [head] }) => {
        const ofSession = phase === 'resting' ? page.filter((item) => sessionKey(item) === key) : [];
        return ofSession.some(
          (item) => head === undefined || itemId(item) !== itemId(head) || itemTime(item) !== itemTime(head),
        );
      });

/** Rows of the queue whose time in the page is another one: newer messages were coalesced into them. */
export function movedIn({ sessions }: Queue, page: readonly Item[]): string[] {
  const known = new Map<string, number>();
  for (const { items } of sessions) for (const item of items) known.set(itemId(item), itemTime(item));
  return page
    .filter((item) => known.get(itemId(item)) !== itemTime(item) && known.has(itemId(item)))
    .map(itemId);
}
