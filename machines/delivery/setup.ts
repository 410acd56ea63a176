/** What the words of delivery's chart mean: its guards, delays and actions. */
import { and, assign, enqueueActions, fromPromise, or, sendTo, setup, stateIn } from 'xstate';
import { backoff, REFUSED_BACKOFF } from '../shared/backoff.ts';
import { faultOf, type Fault } from '../shared/fault.ts';
import { reap } from '../shared/reap.ts';
import type { Tag } from '../shared/tags.ts';
import type { Evidence } from '../shared/evidence.ts';
import type { LaneSettled } from '../lane/context.ts';
import { jobId } from '../lane/job.ts';
import { laneMachine } from '../lane/machine.ts';
import {
  MAX_PAGE,
  type BeatAnswer,
  type DeliveryContext,
  type DeliveryEvent,
  type DeliveryInput,
  type History,
  type ListInput,
  type Page,
} from './context.ts';
import {
  emptyQueue,
  enqueue,
  enqueuePage,
  giveUpSeats,
  idleLanes,
  knownIds,
  laneWith,
  nextInLine,
  release,
  setPhase,
  settle,
  start,
  without,
} from './line.ts';

type DueBeat = Extract<DeliveryEvent, { type: 'beat.due' }>;

/** Idle polling is this quick after activity and doubles from there to DELIVERY_INTERVAL. */
const QUICK_POLL_MS = 500;
/** While the queue is watched: a look all the same, should a change ever not be told. */
const SAFETY_POLL_MS = 300_000;
/** How long a row is left alone that is gone, not ours, or cannot be marked. */
const RECONSIDER_MS = 600_000;
const RECENT_PARKS = 5;
/**
 * A lane with nothing to do is kept for a moment, and as many of them as are at work: the next row of its session often
 * follows. The others are stopped, and not too many at once: nothing else goes on meanwhile.
 */
const SWEEP_MS = 1_000;
const SWEPT_AT_ONCE = 20;

/** How many rows to ask for: those already known stand at the head of the list, so ask beyond them. */
const pageSize = ({ line, setAside, settings }: DeliveryContext): number =>
  Math.min(MAX_PAGE, settings.listLimit + [...knownIds(line)].length + setAside.length);

/** Runs that could start at once, were there rows for them. */
export const freeSlots = ({ line, settings }: DeliveryContext): number =>
  Math.max(0, settings.maxConcurrentSessions - line.counts.working - line.counts.inLine);

const withoutKey = <T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));

/** With a job that is over. */
function recorded({ history, now }: DeliveryContext, { outcome, reason }: LaneSettled): History {
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

const canDeliver = and([
  stateIn({ active: { mode: 'accepting' } }),
  or([stateIn({ active: { gate: 'open' } }), stateIn({ active: { gate: 'trial' } })]),
]);

const parts = setup({
  types: {} as {
    context: DeliveryContext;
    input: DeliveryInput;
    events: DeliveryEvent;
    tags: Tag;
  },
  actors: {
    lane: laneMachine,
    listUndelivered: fromPromise<Page, ListInput>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  guards: {
    gateOpenAtStart: ({ context }) => context.gate === 'open',
    trialAtStart: ({ context }) => context.gate === 'trial',
    canDeliver,
    draining: stateIn({ active: { mode: 'draining' } }),
    /** A lane is in line and a slot is free. */
    slotFree: ({ context }) =>
      context.line.counts.working < context.settings.maxConcurrentSessions &&
      nextInLine(context.line) !== null,
    /** No trial is out; runs from before the trouble may still be under way, and are not waited for. */
    trialFree: ({ context }) => context.trialKey === null && nextInLine(context.line) !== null,
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
    /** Nothing waits and nothing is under way. */
    lineEmpty: ({ context: { line } }) => line.lanes.length === line.counts.idle,
    /** Slots are free, and Convex has rows that are not in the line. */
    wantsMore: ({ context }) => context.poll.more === 'yes' && freeSlots(context) > 0,
    /** The next look is further away than work that has just ended allows: it often brings more. */
    slowPoll: ({ context }) => !context.watched && context.poll.inMs > QUICK_POLL_MS,
    gatewayInDoubt: ({ context }) => context.gatewayInDoubt,
    hasLane: ({ context }, params: { actorId: string }) =>
      laneWith(context.line, params.actorId) !== undefined,
  },
  delays: {
    pollInterval: ({ context }) => context.poll.inMs,
    pollBackoff: ({ context }) => context.poll.inMs,
  },
});

// The actions are added in a second step: XState's types lose the delays and actors of the first one otherwise.
export const deliverySetup = parts.extend({
  actions: {
    takePage: assign(({ context }, params: { page: Page }) => {
      const leaveOut = new Set([...context.setAside, ...context.poll.settled]);
      const line = enqueuePage(context.line, params.page.rows, leaveOut);
      const { asked } = context.poll;
      const full = params.page.rows.length >= asked;
      const grew = line !== context.line;
      return {
        line: giveUpSeats(line),
        poll: {
          ...context.poll,
          more: full && asked >= MAX_PAGE ? 'pageExhausted' : full || context.poll.changed ? 'yes' : 'no',
          unseen: params.page.unseen,
          idlePolls: grew ? 0 : context.poll.idlePolls + 1,
          failures: 0,
          floorMs: 0,
        },
      };
    }),
    endTrial: assign({ trialKey: null }),
    startPoll: assign(({ context }) => ({
      poll: { ...context.poll, asked: pageSize(context), settled: [], changed: false },
    })),
    noteChange: assign(({ context: { poll } }) => ({
      poll: { ...poll, changed: true, more: poll.more === 'no' ? ('yes' as const) : poll.more },
    })),
    noteWatch: assign(({ context: { poll } }, { watched }: { watched: boolean }) => ({
      watched,
      poll: { ...poll, idlePolls: 0 },
    })),
    noteSettled: assign(({ context: { poll } }, { jobId, outcome }: LaneSettled) => ({
      // A released row is still to be given: by the backend or, where it is marked, by the journal, which this look
      // may have read too early.
      poll:
        outcome === 'released' ? { ...poll, changed: true } : { ...poll, settled: [...poll.settled, jobId] },
    })),
    grantSlot: enqueueActions(({ enqueue, context, self }, params: { trial: boolean }) => {
      const turn = nextInLine(context.line);
      if (turn === null) return;
      const { key, actorId, alive, job, next } = turn;
      if (!alive) {
        const { session, backend } = context.settings;
        enqueue.spawnChild('lane', {
          id: actorId,
          systemId: key,
          input: { parent: self, key, session, backend, random: context.random },
        });
      }
      enqueue.assign({
        line: start(context.line, key),
        ...(params.trial && { trialKey: key }),
      });
      enqueue.sendTo(actorId, { type: 'lane.go', job, trial: params.trial, next });
    }),
    /** Lanes that have a job in hand. */
    tellLanes: enqueueActions(
      (
        { enqueue, context },
        params: {
          event:
            | { type: 'lane.hold'; excused: boolean }
            | { type: 'lane.abort' }
            | { type: 'lane.drain' }
            | { type: 'backend.available' };
        },
      ) => {
        for (const { actorId, phase } of context.line.lanes) {
          if (phase === 'working' || phase === 'resting') enqueue.sendTo(actorId, params.event);
        }
      },
    ),
    /** At a drain, lanes that are only in line have nothing to finish. */
    emptyQueue: assign(({ context }) => ({ line: emptyQueue(context.line) })),
    settleJob: enqueueActions(({ enqueue, context }, settled: LaneSettled) => {
      const { jobId, outcome, key } = settled;
      const released = outcome === 'released';
      const line = released ? release(context.line, key) : settle(context.line, key);
      const beater = context.beaters[jobId];
      const aside = outcome === 'left' || outcome === 'stuck';
      const { poll } = context;
      const sweepStarts = line.counts.idle > 0 && !context.sweepComes;
      enqueue.assign({
        line,
        trialKey: context.trialKey === key ? null : context.trialKey,
        poll: {
          ...poll,
          idlePolls: 0,
          // What was released is to be looked for; a row that left the head of a full page makes room for another.
          more: released || (poll.more === 'pageExhausted' && !aside) ? 'yes' : poll.more,
        },
        history: recorded(context, settled),
        ...(beater !== undefined && { beaters: withoutKey(context.beaters, jobId) }),
        ...(aside && { setAside: [...context.setAside, jobId] }),
        ...(sweepStarts && { sweepComes: true }),
      });
      if (beater !== undefined) enqueue.sendTo(beater, { type: 'beat.done' });
      if (aside) {
        enqueue.raise(
          { type: 'row.reconsider', id: jobId },
          { id: `reconsider:${jobId}`, delay: RECONSIDER_MS },
        );
      }
      if (sweepStarts) enqueue.raise({ type: 'lanes.sweep' }, { delay: SWEEP_MS });
    }),
    sweepLanes: enqueueActions(({ enqueue, context }) => {
      const { idle, working } = context.line.counts;
      const swept = idleLanes(context.line).slice(0, Math.max(0, Math.min(SWEPT_AT_ONCE, idle - working)));
      const line = swept.reduce((left, { key }) => without(left, key), context.line);
      const sweepComes = line.counts.idle > 0;
      enqueue.assign({ line, sweepComes });
      for (const { actorId } of swept) enqueue.stopChild(actorId);
      if (sweepComes) enqueue.raise({ type: 'lanes.sweep' }, { delay: SWEEP_MS });
    }),
    noteResting: assign(({ context }, params: { key: string; reason: string | null }) => ({
      line: setPhase(context.line, params.key, 'resting'),
      trialKey: context.trialKey === params.key ? null : context.trialKey,
      history: {
        ...context.history,
        lastErrorAt: context.now(),
        lastErrorMessage: params.reason ?? context.history.lastErrorMessage,
      },
    })),
    backInLine: assign(({ context }, params: { key: string }) => ({
      line: setPhase(context.line, params.key, 'inLine'),
    })),
    dropLane: enqueueActions(({ enqueue, context }, params: { actorId: string; error: unknown }) => {
      const lane = laneWith(context.line, params.actorId);
      if (lane === undefined) return;
      const { key, jobs } = lane;
      enqueue.assign({
        line: without(context.line, key),
        trialKey: context.trialKey === key ? null : context.trialKey,
      });
      enqueue.stopChild(params.actorId);
      enqueue.sendTo(context.parent, { type: 'lane.crashed', key, reason: faultOf(params.error).message });
      const [head] = jobs;
      if (head === undefined) return;
      const id = jobId(head);
      enqueue.assign({ setAside: [...context.setAside, id] });
      enqueue.raise({ type: 'row.reconsider', id }, { id: `reconsider:${id}`, delay: RECONSIDER_MS });
    }),
    reapLane: ({ self }, params: { actorId: string }) => reap(self.getSnapshot().children[params.actorId]),
    reconsider: assign(({ context }, params: { id: string }) => ({
      setAside: context.setAside.filter((id) => id !== params.id),
    })),
    takeBeat: assign(({ context }, due: DueBeat) => ({
      line: enqueue(context.line, { kind: 'beat', agent: due.agent, dueAt: context.now() }),
      beaters: { ...context.beaters, [`beat:${due.agent._id}`]: due.replyTo },
    })),
    refuseBeat: sendTo(
      (_, due: DueBeat) => due.replyTo,
      (): BeatAnswer => ({ type: 'beat.refused' }),
    ),
    countFailedRun: assign(({ context: { history } }) => ({
      history: { ...history, failedRuns: history.failedRuns + 1 },
    })),
    doubt: assign({ gatewayInDoubt: true }),
    endDoubt: assign({ gatewayInDoubt: false }),
    passOn: sendTo(
      ({ context }) => context.parent,
      (_, evidence: Evidence) => evidence,
    ),
    drawPoll: assign(({ context: { settings, watched, poll } }) => ({
      poll: {
        ...poll,
        inMs:
          watched && !poll.unseen
            ? Math.max(settings.intervalMs, SAFETY_POLL_MS)
            : Math.min(settings.intervalMs, QUICK_POLL_MS * 2 ** Math.min(poll.idlePolls, 20)),
      },
    })),
    countPollFailure: assign(({ context: { poll, history, now } }, { fault }: { fault: Fault }) => ({
      poll: { ...poll, failures: poll.failures + 1, floorMs: fault.retryAfterMs },
      history: { ...history, lastErrorAt: now(), lastErrorMessage: fault.message },
    })),
    drawBackoff: assign(({ context: { poll, settings, random } }, params: { refused: boolean }) => {
      const limits = params.refused ? REFUSED_BACKOFF : settings.backend;
      return {
        poll: { ...poll, inMs: backoff(Math.max(1, poll.failures), limits, random(), poll.floorMs) },
      };
    }),
    announceTrouble: sendTo(
      ({ context }) => context.parent,
      ({ context }, params: { severity: 'degraded' | 'failed' }) => ({
        type: 'condition.changed' as const,
        source: 'delivery',
        severity: params.severity,
        problem: `The list of notifications cannot be read. ${context.history.lastErrorMessage ?? ''}`,
      }),
    ),
    announceWell: enqueueActions(({ enqueue, context }) => {
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'delivery', problem: null });
      if (context.poll.failures > 0) enqueue.sendTo(context.parent, { type: 'backend.available' });
    }),
  },
});
