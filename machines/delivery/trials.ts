/** The actions for runs that go out one at a time: alone, because the gateway went down with them, or as its trial. */
import { assign, enqueueActions } from 'xstate';
import type { ChildNews } from '../shared/slot.ts';
import type { Who } from '../shared/who.ts';
import { isWell } from './parts.ts';
import { nextAlone, nextToTry, sessionOf, setPhase } from './queue.ts';
import { withThreads } from './threads.ts';

type Wanted = Extract<ChildNews, { type: 'slot.wanted' }>;

export const aloneSource = (session: string): string => `alone:${session}`;

const describeAlone = ({ title }: Who): string =>
  `"${title}" was at work each time the gateway went down. It runs while no other run is open, and is given up when the gateway goes down with it three times more.`;

export const withTrials = withThreads.extend({
  actions: {
    /** A session that waits to run alone is a problem on /health, until it need not any more. */
    noteAlone: enqueueActions(({ enqueue: then, context }, { session, who, alone }: Wanted) => {
      if (!alone && sessionOf(context.queue, session)?.alone !== true) return;
      const problem = alone ? describeAlone(who) : null;
      then.sendTo(context.parent, { ...isWell(aloneSource(session)), problem });
    }),
    grantAlone: enqueueActions(({ enqueue: then, context: { queue, resting } }) => {
      const session = nextAlone(queue, resting);
      if (session?.actorId == null) return;
      then.assign({ queue: setPhase(queue, session.key, 'running'), passedBy: 0 });
      then.sendTo(session.actorId, { type: 'slot.granted', trial: false });
    }),
    grantTrial: enqueueActions(({ enqueue: then, context: { queue, trials, resting } }) => {
      const session = nextToTry(queue, trials.tried, resting);
      if (session?.actorId == null) return;
      const tried = [...trials.tried.filter((key) => key !== session.key), session.key];
      then.assign({
        queue: setPhase(queue, session.key, 'running'),
        trials: { session: session.key, tried },
      });
      then.sendTo(session.actorId, { type: 'slot.granted', trial: true });
    }),
    endTrial: assign(({ context: { trials } }) => ({ trials: { ...trials, session: null } })),
    endTrials: assign({ trials: { session: null, tried: [] } }),
  },
});
