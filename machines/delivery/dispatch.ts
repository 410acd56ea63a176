/** The actions for sessions: who starts, who gets a slot, and how a child ended. */
import { assign, enqueueActions, sendTo } from 'xstate';
import { faultOf } from '../shared/fault.ts';
import { stallSource } from '../shared/listening.ts';
import { reap } from '../shared/reap.ts';
import type { ChildNews, ChildOrder } from '../shared/slot.ts';
import { whoIs, type Who } from '../shared/who.ts';
import type { BeatAnswer, ChildOutput, DeliveryEvent, DispatchContext, History } from './context.ts';
import { idOf } from './looks.ts';
import { isWell, withoutKeys } from './parts.ts';
import {
  emptyQueue,
  enqueue,
  handBack,
  itemId,
  nextAlone,
  nextToRun,
  nextToStart,
  nextToTry,
  sessionOf,
  sessionWith,
  setPhase,
  setReady,
  settle,
  start,
  type Item,
} from './queue.ts';
import { functionsIn, limitsOf } from './scopes.ts';
import { threadNews, threadSource } from './threads.ts';
import { withTroubles } from './troubles.ts';

type DueBeat = Extract<DeliveryEvent, { type: 'beat.due' }>;
type Wanted = Extract<ChildNews, { type: 'slot.wanted' }>;
type Rested = Extract<ChildNews, { type: 'child.rested' }>;

/** How long a row is left alone that is gone, not ours, or whose actor crashed. */
const RECONSIDER_MS = 600_000;
/** How long a row is left alone that cannot be marked: others of its session go on meanwhile. */
const STUCK_MS = 20_000;
/** How long chatter that was held is a problem on /health. */
const CHATTER_TOLD_MS = 3_600_000;
const RECENT_PARKS = 5;

/** The history with one more child that has ended. */
function recorded({ history, sources: { now } }: DispatchContext, { outcome, reason }: ChildOutput): History {
  return {
    ...history,
    counts: { ...history.counts, [outcome]: history.counts[outcome] + 1 },
    ...(outcome === 'delivered' && { lastDeliveryAt: now() }),
    ...((outcome === 'parked' || outcome === 'unanswered') && {
      recentParks: [
        ...history.recentParks.slice(1 - RECENT_PARKS),
        { at: now(), reason: reason ?? 'no reply' },
      ],
    }),
  };
}

const isAside = ({ outcome }: ChildOutput): boolean => outcome === 'gone' || outcome === 'stuck';

const reconsidered = (id: string, delay = RECONSIDER_MS) => ({ id: `reconsider:${id}`, delay });

/** A session whose row could not be read yet has only ids. */
const titleOf = (item: Item): string =>
  item.kind === 'beat'
    ? whoIs(item.agent.slug, 'heartbeat').title
    : whoIs(item.given?.agent?.slug ?? item.row.recipientId, item.given?.task?.title ?? item.row.title).title;

const aloneSource = (session: string): string => `alone:${session}`;

const describeAlone = ({ title }: Who): string =>
  `"${title}" was at work each time the gateway went down. It runs while no other run is open, and is given up when the gateway goes down with it three times more.`;

const describeStuck = ({ title, reason }: ChildOutput): string =>
  `A notification of "${title}" can be neither delivered nor marked. It is tried again every ${STUCK_MS / 1_000} s. ${reason ?? ''}`;

export const deliverySetup = withTroubles.extend({
  actions: {
    startNext: enqueueActions(({ enqueue: then, context, self }) => {
      const { settings, sources } = context;
      const { random, moment } = sources;
      const limits = limitsOf(context.troubles, context.resting);
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
            troubled: functionsIn(context.troubles),
            thread: (row.taskId === undefined ? null : context.threads[row.taskId]) ?? null,
            chainLimit: settings.chainLimit,
          },
        });
      }
    }),
    grantSlot: enqueueActions(({ enqueue: then, context: { queue, troubles, resting, passedBy } }) => {
      const session = nextToRun(queue, limitsOf(troubles, resting));
      if (session?.actorId == null) return;
      then.assign({
        queue: setPhase(queue, session.key, 'running'),
        passedBy: nextAlone(queue, resting) === null ? 0 : passedBy + 1,
      });
      then.sendTo(session.actorId, { type: 'slot.granted', trial: false });
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
    tellChildren: enqueueActions(({ enqueue: then, context }, { event }: { event: ChildOrder }) => {
      for (const { actorId } of context.queue.sessions) if (actorId !== null) then.sendTo(actorId, event);
    }),
    noteReady: enqueueActions(({ enqueue: then, context }, { session, who, alone }: Wanted) => {
      then.assign({ queue: setReady(context.queue, session, alone) });
      if (alone)
        then.sendTo(context.parent, { ...isWell(aloneSource(session)), problem: describeAlone(who) });
    }),
    noteReturned: assign(({ context: { queue, trials } }, { session }: { session: string }) => ({
      ...(sessionOf(queue, session)?.phase === 'running' && { queue: setPhase(queue, session, 'answering') }),
      ...(trials.session === session && { trials: { ...trials, session: null } }),
    })),
    noteResting: assign(({ context }, { session, before, reason }: Rested) => {
      const { queue, history, trials } = context;
      if (before === 'pace') return { queue: setPhase(queue, session, 'resting') };
      const isAnswering = before === 'call' && sessionOf(queue, session)?.phase === 'answering';
      return {
        ...(!isAnswering && { queue: setPhase(queue, session, 'resting') }),
        ...(trials.session === session && { trials: { ...trials, session: null } }),
        history: {
          ...history,
          lastErrorAt: context.sources.now(),
          lastErrorMessage: reason ?? history.lastErrorMessage,
        },
      };
    }),
    /** The one place that hears how a child ended. */
    settleChild: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const { session: key, outcome } = output;
      const session = sessionOf(context.queue, key);
      if (session?.actorId == null) return;
      const id = idOf(output);
      const isBack = outcome === 'handedBack';
      const { poll, beaters, trials } = context;
      then.stopChild(session.actorId);
      if (session.alone) then.sendTo(context.parent, isWell(aloneSource(key)));
      then.assign({
        queue: isBack ? handBack(context.queue, key) : settle(context.queue, key),
        history: recorded(context, output),
        poll: {
          ...poll,
          silentMs: 0,
          // What was handed back is to be listed; a row that left a full page makes room for another.
          more: isBack || (poll.more === 'pageExhausted' && !isAside(output)) ? 'yes' : poll.more,
        },
        ...(trials.session === key && { trials: { ...trials, session: null } }),
        ...(output.kind === 'beat' && { beaters: withoutKeys(beaters, [id]) }),
      });
      const beater = beaters[id];
      if (beater !== undefined && output.kind === 'beat') {
        then.sendTo(beater, { type: 'beat.done', focus: output.focus });
      }
      then.raise({ type: 'session.settled', output });
    }),
    noteThread: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const news = threadNews(context, output);
      if (news === null) return;
      const { taskId, threads, changed, problem } = news;
      then.assign({ threads });
      if (!changed) return;
      const source = threadSource(taskId);
      then.sendTo(context.parent, { ...isWell(source), problem });
      then.cancel(source);
      then.raise({ type: 'chatter.aged', taskId }, { id: source, delay: CHATTER_TOLD_MS });
    }),
    endChatter: sendTo(
      ({ context }) => context.parent,
      (_, { taskId }: { taskId: string }) => isWell(threadSource(taskId)),
    ),
    /** A row that cannot be had, or not be marked, is left alone for a while. */
    leaveAside: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      if (!isAside(output)) return;
      const id = idOf(output);
      const wait = output.outcome === 'stuck' ? STUCK_MS : RECONSIDER_MS;
      then.assign({ setAside: [...context.setAside, id] });
      then.raise({ type: 'row.reconsider', id, session: output.session }, reconsidered(id, wait));
    }),
    /** A row that cannot be marked stays a problem while it is tried again. */
    noteStuck: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const id = idOf(output);
      const isStuck = output.outcome === 'stuck';
      if (!isStuck && !context.stuck.includes(id)) return;
      const others = context.stuck.filter((one) => one !== id);
      then.assign({ stuck: isStuck ? [...others, id] : others });
      then.sendTo(context.parent, {
        ...isWell(`row:${id}`),
        problem: isStuck ? describeStuck(output) : null,
      });
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
        ...(context.trials.session === key && { trials: { ...context.trials, session: null } }),
      });
      const beater = context.beaters[id];
      if (beater !== undefined) then.sendTo(beater, { type: 'beat.done', focus: null });
      then.sendTo(context.parent, isWell(stallSource(key)));
      then.sendTo(context.parent, isWell(aloneSource(key)));
      then.sendTo(context.parent, {
        type: 'session.crashed',
        session: key,
        title: titleOf(head),
        reason: faultOf(params.error).message,
      });
      then.raise({ type: 'row.reconsider', id, session: key }, reconsidered(id));
    }),
    reapChild: ({ self }, params: { actorId: string }) => reap(self.getSnapshot().children[params.actorId]),
    /** At a drain, sessions without an actor have nothing to finish. */
    emptyQueue: assign(({ context }) => ({ queue: emptyQueue(context.queue) })),
    takeBeat: assign(({ context }, due: DueBeat) => ({
      queue: enqueue(context.queue, {
        kind: 'beat',
        agent: due.agent,
        seen: due.seen,
        dueAt: context.sources.now(),
      }),
      beaters: { ...context.beaters, [`beat:${due.agent._id}`]: due.replyTo },
    })),
    skipBeat: sendTo(
      (_, due: DueBeat) => due.replyTo,
      (): BeatAnswer => ({ type: 'beat.done', focus: null }),
    ),
    refuseBeat: sendTo(
      (_, due: DueBeat) => due.replyTo,
      (): BeatAnswer => ({ type: 'beat.refused' }),
    ),
  },
});
