/** The actions for rows that are left alone for a while: gone, impossible to mark, or with an actor that crashed. */
import { enqueueActions } from 'xstate';
import { faultOf } from '../shared/fault.ts';
import { stallSource } from '../shared/listening.ts';
import { reap } from '../shared/reap.ts';
import { whoIs } from '../shared/who.ts';
import { idOf, type ChildOutput } from './context.ts';
import { condition, withoutKeys } from './parts.ts';
import { handBack, itemId, sessionWith, type Item } from './queue.ts';
import { afterTrial, aloneSource, withOneAtATime } from './one-at-a-time.ts';

/** How long a row is left alone after its actor crashed. */
const RECONSIDER_MS = 600_000;
/** How long a row is left alone after Mission Control said that it is gone, or not ours. */
const GONE_MS = 10_000;
/** How long a row that cannot be marked is left alone. The rows behind it go on meanwhile. */
const STUCK_MS = 20_000;

export const isAside = ({ outcome }: ChildOutput): boolean => outcome === 'gone' || outcome === 'stuck';

const reconsidered = (id: string, delay = RECONSIDER_MS) => ({ id: `reconsider:${id}`, delay });

/** A session whose row could not be read yet has only ids. */
const titleOf = (item: Item): string =>
  item.kind === 'beat'
    ? whoIs(item.agent.slug, 'heartbeat').title
    : whoIs(item.given?.agent?.slug ?? item.row.recipientId, item.given?.task?.title ?? item.row.title).title;

const describeStuck = ({ title, reason, outcome }: ChildOutput): string =>
  outcome === 'gone'
    ? `Mission Control lists a notification of "${title}" and says that it is not there. It is asked again every ${GONE_MS / 1_000} s.`
    : `A notification of "${title}" can be neither delivered nor marked. It is tried again every ${STUCK_MS / 1_000} s. ${reason ?? ''}`;

export const withAside = withOneAtATime.extend({
  guards: {
    hasSession: ({ context }, params: { actorId: string }) =>
      sessionWith(context.queue, params.actorId) !== undefined,
  },
  actions: {
    /** A row that is gone or cannot be marked is left alone for a while. */
    leaveAside: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      if (!isAside(output)) return;
      const id = idOf(output);
      const wait = output.outcome === 'stuck' ? STUCK_MS : GONE_MS;
      then.assign({ setAside: [...context.setAside, id] });
      then.raise({ type: 'row.reconsider', id, session: output.session }, reconsidered(id, wait));
    }),
    /**
     * A row that cannot be marked is a problem until it is marked. A row that is gone is a problem from the second time on:
     * the first time it may have gone while the list was on its way.
     */
    noteStuck: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const id = idOf(output);
      const isSetAside = isAside(output);
      const isKnown = context.endedAside.includes(id);
      if (!isSetAside && !isKnown) return;
      const others = context.endedAside.filter((one) => one !== id);
      then.assign({ endedAside: isSetAside ? [...others, id] : others });
      if (output.outcome === 'gone' && !isKnown) return;
      then.sendTo(context.parent, condition(`row:${id}`, isSetAside ? describeStuck(output) : null));
    }),
    dropChild: enqueueActions(({ enqueue: then, context }, params: { actorId: string; error: unknown }) => {
      const session = sessionWith(context.queue, params.actorId);
      const head = session?.items[0];
      if (session === undefined || head === undefined) return;
      const { key } = session;
      const id = itemId(head);
      then.stopChild(params.actorId);
      then.assign({
        queue: handBack(context.queue, key),
        setAside: [...context.setAside, id],
        beaters: withoutKeys(context.beaters, [id]),
        trials: afterTrial(context.trials, key),
      });
      const beater = context.beaters[id];
      if (beater !== undefined) then.sendTo(beater, { type: 'beat.done', focus: null });
      then.sendTo(context.parent, condition(stallSource(key)));
      then.sendTo(context.parent, condition(aloneSource(key)));
      then.sendTo(context.parent, {
        type: 'session.crashed',
        session: key,
        title: titleOf(head),
        reason: faultOf(params.error).message,
      });
      then.raise({ type: 'row.reconsider', id, session: key }, reconsidered(id));
    }),
    reapChild: ({ self }, params: { actorId: string }) => reap(self.getSnapshot().children[params.actorId]),
  },
});
