/** Runs that go out one at a time: alone, because the gateway went down while they were open, or as the gateway's trial. */
import { assign, enqueueActions } from 'xstate';
import type { News } from '../shared/child-messages.ts';
import type { Who } from '../shared/who.ts';
import type { DispatchContext } from './context.ts';
import { condition, PASSED_BY_PER_SLOT } from './parts.ts';
import { nextAlone, sessionOf, setPhase, type Queue, type Session } from './queue.ts';
import { withThreads } from './threads.ts';

/** How long others wait for a run that goes out alone. */
const ALONE_MS = 20_000;

export const aloneSource = (session: string): string => `alone:${session}`;

const describeAlone = ({ title }: Who): string =>
  `"${title}" was at work each time the gateway went down. It runs while no other run is open, and is given up when the gateway goes down with it three times more.`;

/** The trial is over when the session that had it is done with its run. */
export const afterTrial = (trials: DispatchContext['trials'], session: string): DispatchContext['trials'] =>
  trials.session === session ? { ...trials, session: null } : trials;

export const withOneAtATime = withThreads.extend({
  guards: {
    trialAtStart: ({ context }) => context.gate === 'trial',
    /** No run is open, and a session waits for such a moment. */
    aloneFree: ({ context: { queue, outOfTokens } }) =>
      queue.counts.running === 0 && nextAlone(queue, outOfTokens) !== null,
    /** A session has waited long enough to run alone: others let it through. */
    aloneDue: ({ context: { queue, settings, outOfTokens, passedBy } }) =>
      nextAlone(queue, outOfTokens) !== null &&
      passedBy >= PASSED_BY_PER_SLOT * settings.maxConcurrentSessions,
    noneAlone: ({ context: { queue, outOfTokens } }) => nextAlone(queue, outOfTokens) === null,
    noRunOpen: ({ context: { queue } }) => queue.counts.running === 0,
    /** No trial is out. Runs from before the trouble may still be under way, and are not waited for. */
    trialFree: ({ context: { trials, queue, outOfTokens } }) =>
      trials.session === null &&
      queue.counts.preparing === 0 &&
      nextToTry(queue, trials.tried, outOfTokens) !== null,
  },
  delays: { aloneLimit: ALONE_MS },
  actions: {
    /** A session that waits to run alone is a problem on /health for as long as it waits. */
    noteAlone: enqueueActions(({ enqueue: then, context }, { session, who, alone }: News<'slot.wanted'>) => {
      if (!alone && sessionOf(context.queue, session)?.alone !== true) return;
      const problem = alone ? describeAlone(who) : null;
      then.sendTo(context.parent, condition(aloneSource(session), problem));
    }),
    grantAlone: enqueueActions(({ enqueue: then, context: { queue, outOfTokens } }) => {
      const session = nextAlone(queue, outOfTokens);
      if (session?.actorId == null) return;
      then.assign({ queue: setPhase(queue, session.key, 'running'), passedBy: 0 });
      then.sendTo(session.actorId, { type: 'slot.granted', trial: false });
    }),
    grantTrial: enqueueActions(({ enqueue: then, context: { queue, trials, outOfTokens } }) => {
      const session = nextToTry(queue, trials.tried, outOfTokens);
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

/**
 * The session that gets the gateway's next trial run. Agents that were not tried come first, then those whose last trial
 * is longest ago; so do the sessions of an agent. Among equals the oldest goes. So one bad agent cannot keep the gate shut.
 * @param tried sessions that were tried, the last one last
 */
export function nextToTry(
  { ready }: Queue,
  tried: readonly string[],
  outOfTokens: DispatchContext['outOfTokens'] = {},
): Session | null {
  const agentTurn = ({ agentId }: Session): number =>
    tried.findLastIndex((key) => key.startsWith(`${agentId}/`));
  const turn = (session: Session): number => tried.indexOf(session.key);
  const [first] = ready
    .filter(({ agentId }) => outOfTokens[agentId] === undefined)
    .toSorted((a, b) => agentTurn(a) - agentTurn(b) || turn(a) - turn(b));
  return first ?? null;
}
