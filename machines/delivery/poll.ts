/** The actions of region `poll`: what does Convex have, and when does delivery look again? */
import { assign, enqueueActions } from 'xstate';
import { MAX_PAGE } from '../shared/mission-control.ts';
import { idOf, type ChildOutput, type DispatchContext, type Page } from './context.ts';
import { deliveryParts, freeSlots, condition, MIN_POLL_MS } from './parts.ts';
import { movedIn, stirredBy } from './moved.ts';
import { enqueuePage, forgetContexts, removeEmpty, knownIds, type Item } from './queue.ts';

/** The wait is a twentieth of the time since the last news. */
const POLL_SHARE = 20;
/** How often delivery looks while the queue is watched, in case a change was not announced. */
const SAFETY_POLL_MS = 300_000;
/** How long a context that came with the list is good for a run. */
const CONTEXTS_MS = 2_000;

/** How many rows to ask for: those already known stand at the head of the list, so ask beyond them. */
const pageSize = ({ queue, setAside, settings }: DispatchContext): number =>
  Math.min(MAX_PAGE, settings.listLimit + [...knownIds(queue)].length + setAside.length);

const PAGE_FULL = `Mission Control lists the ${MAX_PAGE} oldest notifications, and all of them wait: newer ones are not seen until some of these end.`;

export const withPoll = deliveryParts.extend({
  actions: {
    startPoll: assign(({ context }) => ({
      poll: { ...context.poll, asked: pageSize(context), settled: [], changed: false },
    })),
    takePage: enqueueActions(({ enqueue: then, context }, { page }: { page: Page }) => {
      const { poll, queue } = context;
      const leaveOut = new Set([...context.setAside, ...poll.settled]);
      const items = page.rows.map((row): Item => ({ kind: 'notification', ...row }));
      const grown = enqueuePage(queue, items, leaveOut);
      const full = page.listed >= poll.asked;
      // A row that is not listed any more was marked by somebody else, or is gone.
      const listed = new Set([...leaveOut, ...knownIds(grown)]);
      const unlisted = full ? [] : context.endedAside.filter((id) => !listed.has(id));
      if (unlisted.length > 0) then.assign({ endedAside: context.endedAside.filter((id) => listed.has(id)) });
      for (const id of unlisted) then.sendTo(context.parent, condition(`row:${id}`));
      for (const { actorId } of stirredBy(queue, items)) {
        if (actorId !== null) then.sendTo(actorId, { type: 'row.stirred' });
      }
      const exhausted = full && poll.asked >= MAX_PAGE;
      const hidden = exhausted && (poll.hidden || freeSlots({ ...context, queue: grown }) > 0);
      if (hidden !== poll.hidden) {
        then.sendTo(context.parent, condition('page', hidden ? PAGE_FULL : null));
      }
      then.assign({
        queue: removeEmpty(grown),
        poll: {
          ...poll,
          hidden,
          more: exhausted ? 'pageExhausted' : full || poll.changed ? 'yes' : 'no',
          unseen: page.unseen,
          cursor: page.cursor,
          silentMs: grown === queue ? poll.silentMs + poll.inMs : 0,
          failures: 0,
          floorMs: 0,
        },
      });
      if (Object.keys(context.outOfTokens).length > 0) {
        then.raise({ type: 'rest.told', moved: movedIn(queue, items) });
      }
      if (page.rows.some(({ given }) => given !== null)) {
        then.raise({ type: 'contexts.aged' }, { id: 'contexts', delay: CONTEXTS_MS });
      }
    }),
    forgetContexts: assign(({ context }) => ({ queue: forgetContexts(context.queue) })),
    noteOffer: assign(({ context: { poll } }) => ({ poll: { ...poll, offerKnown: true } })),
    noteChange: assign(({ context: { poll } }) => ({
      poll: { ...poll, changed: true, more: poll.more === 'no' ? ('yes' as const) : poll.more },
    })),
    noteWatch: assign(({ context: { poll } }, { watched }: { watched: boolean }) => ({
      watched,
      poll: { ...poll, silentMs: 0 },
    })),
    /** The list that is on its way may be older than this end, and show the row once more. */
    noteSettled: assign(({ context: { poll } }, { output }: { output: ChildOutput }) => ({
      poll:
        output.outcome === 'handedBack'
          ? { ...poll, changed: true }
          : { ...poll, settled: [...poll.settled, idOf(output)] },
    })),
    reconsider: assign(({ context }, { id }: { id: string }) => ({
      setAside: context.setAside.filter((other) => other !== id),
    })),
    drawPoll: assign(({ context: { settings, watched, poll } }) => ({
      poll: {
        ...poll,
        inMs:
          watched && !poll.unseen
            ? Math.max(settings.intervalMs, SAFETY_POLL_MS)
            : Math.min(settings.intervalMs, Math.max(MIN_POLL_MS, Math.ceil(poll.silentMs / POLL_SHARE))),
      },
    })),
    announceWell: enqueueActions(({ enqueue: then, context }) => {
      then.sendTo(context.parent, { type: 'condition.changed', source: 'delivery', problem: null });
      if (context.poll.failures > 0) then.sendTo(context.parent, { type: 'backend.available' });
    }),
  },
});
