/** The actions for sessions: who starts, who gets a slot, and how a child ended. */
import { assign, enqueueActions } from 'xstate';
import type { News } from '../shared/child-messages.ts';
import { isAside } from './aside.ts';
import { idOf, type ChildOutput } from './context.ts';
import { recorded } from './history.ts';
import { withLeaving } from './leaving.ts';
import { afterTrial, aloneSource } from './one-at-a-time.ts';
import { condition, withoutKeys } from './parts.ts';
import {
  handBack,
  nextAlone,
  nextToRun,
  nextToStart,
  sessionOf,
  setPhase,
  setReady,
  settle,
  start,
} from './queue.ts';
import { functionsIn, limitsOf } from './scopes.ts';

export const deliverySetup = withLeaving.extend({
  actions: {
    startNext: enqueueActions(({ enqueue: then, context, self }) => {
      const { settings, sources } = context;
      const { random, moment } = sources;
      const limits = limitsOf(context);
      const session = nextToStart(context.queue, settings.maxConcurrentSessions, limits);
      const item = session?.items[0];
      if (session === null || item === undefined) return;
      const queue = start(context.queue, session.key);
      const id = sessionOf(queue, session.key)?.actorId ?? session.key;
      const { backend, stallAfterMs } = settings;
      const common = { parent: self, session: session.key, backend, stallAfterMs, random, moment };
      then.assign({ queue });
      if (item.kind === 'beat') {
        then.spawnChild('beat', {
          id,
          systemId: `beat:${session.key}`,
          input: { ...common, agent: item.agent, seen: item.seen },
        });
      } else {
        const { row, entry, given } = item;
        then.spawnChild('notification', {
          id,
          systemId: `notification:${session.key}`,
          input: {
            ...common,
            row,
            entry,
            given,
            runs: settings.runs,
            troubled: functionsIn(context.troubles, 'function'),
            away: functionsIn(context.troubles, 'away'),
            thread: (row.taskId === undefined ? null : context.threads[row.taskId]) ?? null,
            chainLimit: settings.chainLimit,
          },
        });
      }
    }),
    grantSlot: enqueueActions(({ enqueue: then, context }) => {
      const { queue, outOfTokens, passedBy } = context;
      const session = nextToRun(queue, limitsOf(context));
      if (session?.actorId == null) return;
      then.assign({
        queue: setPhase(queue, session.key, 'running'),
        passedBy: nextAlone(queue, outOfTokens) === null ? 0 : passedBy + 1,
      });
      then.sendTo(session.actorId, { type: 'slot.granted', trial: false });
    }),
    noteReady: assign(({ context: { queue } }, { session, alone }: News<'slot.wanted'>) => ({
      queue: setReady(queue, session, alone),
    })),
    noteReturned: assign(({ context: { queue, trials } }, { session }: { session: string }) => ({
      ...(sessionOf(queue, session)?.phase === 'running' && { queue: setPhase(queue, session, 'answering') }),
      trials: afterTrial(trials, session),
    })),
    noteResting: assign(({ context }, { session, before, reason }: News<'child.rested'>) => {
      const { queue, history, trials } = context;
      if (before === 'pace') return { queue: setPhase(queue, session, 'resting') };
      const isAnswering = before === 'call' && sessionOf(queue, session)?.phase === 'answering';
      return {
        ...(!isAnswering && { queue: setPhase(queue, session, 'resting') }),
        trials: afterTrial(trials, session),
        history: {
          ...history,
          lastErrorAt: context.sources.now(),
          lastErrorMessage: reason ?? history.lastErrorMessage,
        },
      };
    }),
    /** The session's head is over, or goes back to Convex: the child ended. */
    settleChild: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const { session: key, outcome } = output;
      const session = sessionOf(context.queue, key);
      if (session?.actorId == null) return;
      const id = idOf(output);
      const isBack = outcome === 'handedBack';
      const { poll, beaters, trials } = context;
      then.stopChild(session.actorId);
      if (session.alone) then.sendTo(context.parent, condition(aloneSource(key)));
      then.assign({
        queue: isBack ? handBack(context.queue, key) : settle(context.queue, key),
        history: recorded(context, output),
        poll: {
          ...poll,
          silentMs: 0,
          // What was handed back is to be listed; a row that left a full page makes room for another.
          more: isBack || (poll.more === 'pageExhausted' && !isAside(output)) ? 'yes' : poll.more,
        },
        trials: afterTrial(trials, key),
        ...(output.kind === 'beat' && { beaters: withoutKeys(beaters, [id]) }),
      });
      const beater = beaters[id];
      if (beater !== undefined && output.kind === 'beat') {
        then.sendTo(beater, { type: 'beat.done', focus: output.focus });
      }
      then.raise({ type: 'session.settled', output });
    }),
  },
});
