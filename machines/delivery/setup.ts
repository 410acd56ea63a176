/** What the words of delivery's chart mean: its guards, delays and actions. */
import { assign, enqueueActions, fromPromise, sendTo, setup, stateIn } from 'xstate';
import { backoff, REFUSED_BACKOFF } from '../shared/backoff.ts';
import { faultOf, type Fault } from '../shared/fault.ts';
import { MAX_PAGE } from '../shared/mission-control.ts';
import { reap } from '../shared/reap.ts';
import type { Tag } from '../shared/tags.ts';
import type { Evidence } from '../shared/evidence.ts';
import { isSpent, isWarned, limitFor, type Spent } from '../shared/spending.ts';
import { stallSource, type StallNews } from '../shared/listening.ts';
import type { ChildNews, ChildOrder } from '../shared/slot.ts';
import { beatMachine } from '../beat/machine.ts';
import type { Thread } from '../notification/chatter.ts';
import { notificationMachine } from '../notification/machine.ts';
import { troubleMachine, type TroubleOutput } from '../trouble/machine.ts';
import {
  type BeatAnswer,
  type ChildOutput,
  type DispatchContext,
  type DeliveryEvent,
  type DeliveryInput,
  type History,
  type ListInput,
  type Page,
  type RestNote,
  type RestNoteOutput,
} from './context.ts';
import {
  emptyQueue,
  enqueue,
  enqueuePage,
  forgetContexts,
  giveUpPlaces,
  handBack,
  hasWorkOf,
  itemId,
  knownIds,
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
  stirredBy,
  countWanted,
  type Item,
  type Queue,
  type Session,
} from './queue.ts';
import {
  agentScope,
  describeTrouble,
  ENOUGH,
  explainedBy,
  functionsIn,
  limitsOf,
  ofRuns,
  scopeKind,
  scopesOfCall,
  scopesOfRun,
  sessionScope,
} from './scopes.ts';

type DueBeat = Extract<DeliveryEvent, { type: 'beat.due' }>;
type Rested = Extract<ChildNews, { type: 'child.rested' }>;
type FunctionFailed = Extract<ChildNews, { type: 'function.failed' }>;
type RunFailed = Extract<ChildNews, { type: 'run.failed' }>;
type Stalled = Extract<StallNews, { type: 'run.stalled' }>;
type TroubleFound = Extract<DeliveryEvent, { type: 'trouble.found' }>;

/** No idle poll is quicker. */
const MIN_POLL_MS = 500;
/** The wait is this part of the time since the last news: what comes is seen within a twentieth of the silence. */
const POLL_SHARE = 20;
/** While the queue is watched: a look all the same, should a change ever not be told. */
const SAFETY_POLL_MS = 300_000;
/** How long a row is left alone that is gone, not ours, or whose actor crashed. */
const RECONSIDER_MS = 600_000;
/** How long a row is left alone that cannot be marked: others of its session go on meanwhile. */
const STUCK_MS = 20_000;
/** How long a context that came with the list is good for a run. */
const CONTEXTS_MS = 2_000;
/** With a slow backend no new run starts while so many notifications for each slot are past their run. */
const ALIVE_PER_SLOT = 3;
const RECENT_PARKS = 5;
/** How long chatter that was held is a problem on /health. */
const CHATTER_TOLD_MS = 3_600_000;
/** A session that waits to run alone lets so many runs for each slot go before it. */
const PASSED_BY_PER_SLOT = 3;
/** How long others wait for a run that goes alone. */
const ALONE_MS = 20_000;

/** How many rows to ask for: those already known stand at the head of the list, so ask beyond them. */
const pageSize = ({ queue, setAside, settings }: DispatchContext): number =>
  Math.min(MAX_PAGE, settings.listLimit + [...knownIds(queue)].length + setAside.length);

/** Runs that could start at once, were there rows for them. */
export const freeSlots = ({ queue, settings, troubles, resting }: DispatchContext): number => {
  const limits = limitsOf(troubles, resting);
  const { running, ready, preparing, waiting } = queue.counts;
  // What waits for its own agent takes no slot from the others.
  const wanted = limits === null ? running + ready + preparing + waiting : countWanted(queue, limits);
  return Math.max(0, settings.maxConcurrentSessions - wanted);
};

const withoutKeys = <T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

const idOf = (output: ChildOutput): string =>
  output.kind === 'notification' ? output.id : `beat:${output.agentId}`;

/** With a child that has ended. */
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

const accepting = stateIn({ active: { mode: 'accepting' } });

/** The `done` event of a child, which XState types loosely. */
export const outputOf = ({ event }: { event: unknown }): { output: ChildOutput } =>
  event as { output: ChildOutput };
/** The same for a thread that was told. */
export const restNoteOf = ({ event }: { event: unknown }): { output: RestNoteOutput } =>
  event as { output: RestNoteOutput };
export const troubleOf = ({ event }: { event: unknown }): { output: TroubleOutput } =>
  event as { output: TroubleOutput };

const reconsidered = (id: string, delay = RECONSIDER_MS) => ({ id: `reconsider:${id}`, delay });

/** What an end says of a thread in which agents answer each other; null where it says nothing new. */
function threadNews({ threads, settings }: DispatchContext, output: ChildOutput) {
  const taskId = output.session.split('/')[1] ?? '';
  if (output.kind === 'beat' || output.outcome === 'handedBack') return null;
  const { thread, outcome } = output;
  const before = threads[taskId];
  if (thread === null && before === undefined) return null;
  const isHeld =
    thread !== null &&
    thread.chain >= settings.chainLimit &&
    (outcome === 'chatter' || before?.held === true);
  const others = withoutKeys(threads, [taskId]);
  return {
    taskId,
    source: `thread:${taskId}`,
    threads: thread === null ? others : { ...others, [taskId]: { ...thread, held: isHeld } },
    changed: isHeld !== (before?.held ?? false),
    problem: isHeld ? describeChatter(thread) : null,
  };
}

const describeChatter = ({ title, chain }: Thread): string =>
  `Agents only answer each other on the task "${title}": ${chain} messages in a row. What they write there is held until a person writes.`;

const describeStuck = ({ session, reason }: ChildOutput): string =>
  `A notification of session ${session} can be neither delivered nor marked. It is tried again every ${STUCK_MS / 1_000} s. ${reason ?? ''}`;

/** Nothing waits for these any more. */
const overWith = (queue: Queue, { key, agentId }: Session): string[] => [
  sessionScope(key),
  ...(hasWorkOf(queue, agentId) ? [] : [agentScope(agentId)]),
];

const actorOf = (scope: string): string => `trouble:${scope}`;

const isWell = (scope: string) =>
  ({ type: 'condition.changed', source: scope, problem: null, of: 'delivery' }) as const;
/** The name of the problem, for `/health`. */
const restSource = (agent: string): string => `tokens:${agent}`;
const dayTimer = (agentId: string): string => `day:${agentId}`;
const restNoteId = (session: string): string => `rest:${session}`;

const withTold = (
  resting: DispatchContext['resting'],
  { agentId, key }: Session,
): DispatchContext['resting'] => {
  const rest = resting[agentId];
  return rest === undefined ? resting : { ...resting, [agentId]: { ...rest, told: [...rest.told, key] } };
};

const withoutTold = (resting: DispatchContext['resting'], session: string): DispatchContext['resting'] =>
  Object.fromEntries(
    Object.entries(resting).map(([id, rest]) => [
      id,
      { ...rest, told: rest.told.filter((key) => key !== session) },
    ]),
  );

const inWords = (ms: number): string => (ms < 60_000 ? `${ms / 1_000} s` : `${Math.round(ms / 60_000)} min`);

const parts = setup({
  types: {} as {
    context: DispatchContext;
    input: DeliveryInput;
    events: DeliveryEvent;
    tags: Tag;
  },
  actors: {
    notification: notificationMachine,
    beat: beatMachine,
    trouble: troubleMachine,
    listUndelivered: fromPromise<Page, ListInput>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
    /** Tells a thread, once for each day, that its agent rests; where no answer is due it tells nothing. Never fails. */
    tellRest: fromPromise<RestNoteOutput, RestNote>(({ input: { session } }) =>
      Promise.resolve({ kind: 'restNote', session, told: true }),
    ),
    /** Gives back the rows that are lent to this runtime, without those whose run is open or over. */
    releaseRows: fromPromise<void, { keep: readonly string[] }>(() => Promise.resolve()),
  },
  guards: {
    gateOpenAtStart: ({ context }) => context.gate === 'open',
    trialAtStart: ({ context }) => context.gate === 'trial',
    accepting,
    offerKnown: ({ context }) => context.poll.offerKnown,
    isExcused: (_, params: { excused: boolean }) => params.excused,
    draining: stateIn({ active: { mode: 'draining' } }),
    headWaits: ({ context: { queue, settings, troubles, resting } }) =>
      nextToStart(queue, settings.maxConcurrentSessions, limitsOf(troubles, resting)) !== null,
    /** A session may run, a slot is free, and Convex keeps up with what was run. */
    slotFree: ({ context: { queue, settings, troubles, resting, passedBy } }) =>
      queue.ready.length > 0 &&
      queue.counts.running < settings.maxConcurrentSessions &&
      queue.counts.running + queue.counts.answering < ALIVE_PER_SLOT * settings.maxConcurrentSessions &&
      (nextAlone(queue, resting) === null ||
        passedBy < PASSED_BY_PER_SLOT * settings.maxConcurrentSessions) &&
      nextToRun(queue, limitsOf(troubles, resting)) !== null,
    /** No run is open, and a session waits for such a moment. */
    aloneFree: ({ context: { queue, resting } }) =>
      queue.counts.running === 0 && nextAlone(queue, resting) !== null,
    /** A session has waited for long to run alone, and is let through. */
    aloneDue: ({ context: { queue, settings, resting, passedBy } }) =>
      nextAlone(queue, resting) !== null && passedBy >= PASSED_BY_PER_SLOT * settings.maxConcurrentSessions,
    noneAlone: ({ context: { queue, resting } }) => nextAlone(queue, resting) === null,
    noRunOpen: ({ context: { queue } }) => queue.counts.running === 0,
    /** No trial is out. Runs from before the trouble may still be under way, and are not waited for. */
    trialFree: ({ context: { trials, queue, resting } }) =>
      trials.session === null &&
      queue.counts.preparing === 0 &&
      nextToTry(queue, trials.tried, resting) !== null,
    isRestNote: (_, { output }: { output: { kind: string } }) => output.kind === 'restNote',
    agentRests: ({ context }, { agent }: { agent: { _id: string } }) =>
      context.resting[agent._id] !== undefined,
    isTrouble: (_, { output }: { output: { kind: string } }) => output.kind === 'trouble',
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
    /** Nothing waits and nothing is under way. */
    queueEmpty: ({ context: { queue } }) => queue.sessions.length === queue.counts.empty,
    /** Slots are free, and Convex has rows that are not in the queue. */
    wantsMore: ({ context }) => context.poll.more === 'yes' && freeSlots(context) > 0,
    /** The next look is further away than work that has just ended allows: it often brings more. */
    slowPoll: ({ context }) => !context.watched && context.poll.inMs > MIN_POLL_MS,
    gatewayInDoubt: ({ context }) => context.gatewayInDoubt,
    hasSession: ({ context }, params: { actorId: string }) =>
      sessionWith(context.queue, params.actorId) !== undefined,
  },
  delays: {
    pollInterval: ({ context }) => context.poll.inMs,
    pollBackoff: ({ context }) => context.poll.inMs,
    aloneLimit: ALONE_MS,
  },
});

// The actions are added in a second step: XState's types lose the delays and actors of the first one otherwise.
export const deliverySetup = parts.extend({
  actions: {
    takePage: enqueueActions(({ enqueue: then, context }, { page }: { page: Page }) => {
      const { poll, queue } = context;
      const leaveOut = new Set([...context.setAside, ...poll.settled]);
      const items = page.rows.map((row): Item => ({ kind: 'notification', ...row }));
      const grown = enqueuePage(queue, items, leaveOut);
      const full = page.rows.length >= poll.asked;
      // Somebody else has marked it, or it is gone.
      const listed = new Set([...leaveOut, ...knownIds(grown)]);
      const mended = full ? [] : context.stuck.filter((id) => !listed.has(id));
      if (mended.length > 0) then.assign({ stuck: context.stuck.filter((id) => listed.has(id)) });
      for (const id of mended) then.sendTo(context.parent, isWell(`row:${id}`));
      for (const { actorId } of stirredBy(queue, items)) {
        if (actorId !== null) then.sendTo(actorId, { type: 'row.stirred' });
      }
      then.assign({
        queue: giveUpPlaces(grown),
        poll: {
          ...poll,
          more: full && poll.asked >= MAX_PAGE ? 'pageExhausted' : full || poll.changed ? 'yes' : 'no',
          unseen: page.unseen,
          cursor: page.cursor,
          silentMs: grown === queue ? poll.silentMs + poll.inMs : 0,
          failures: 0,
          floorMs: 0,
        },
      });
      if (Object.keys(context.resting).length > 0) then.raise({ type: 'rest.told' });
      if (page.rows.some(({ given }) => given !== null)) {
        then.raise({ type: 'contexts.aged' }, { id: 'contexts', delay: CONTEXTS_MS });
      }
    }),
    /** The timers would otherwise outlive delivery. */
    cancelTimers: enqueueActions(({ enqueue: then, context }) => {
      then.cancel('contexts');
      for (const agentId of Object.keys(context.resting)) then.cancel(dayTimer(agentId));
    }),
    /** What the agents had used before this delivery began. */
    restAtStart: enqueueActions(({ enqueue: then, context }) => {
      for (const spent of context.sources.spent()) {
        if (isSpent(context.settings.tokenLimits, spent)) then.raise({ type: 'tokens.spent', spent });
      }
    }),
    noteSpent: enqueueActions(({ enqueue: then, context }, { spent }: { spent: Spent }) => {
      const { settings, resting, parent } = context;
      const { agentId, agent, tokens, dayEndsInMs } = spent;
      const limit = limitFor(settings.tokenLimits, agent);
      if (limit === null || resting[agentId] !== undefined) return;
      if (isWarned(settings.tokenLimits, spent))
        then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      if (!isSpent(settings.tokenLimits, spent)) return;
      then.assign({ resting: { ...resting, [agentId]: { spent, told: [] } } });
      then.raise({ type: 'day.over', agentId }, { id: dayTimer(agentId), delay: Math.max(1, dayEndsInMs) });
      then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      then.sendTo(parent, {
        type: 'condition.changed',
        source: restSource(agent),
        of: 'delivery',
        problem: `@${agent} has used ${tokens} tokens today, and AGENT_TOKENS_PER_DAY gives it ${limit}. It rests until the next UTC day, and its messages wait. A start with a higher limit wakes it earlier.`,
      });
      then.raise({ type: 'rest.told' });
    }),
    /** Each thread that waits for an agent that rests is told. */
    tellRests: enqueueActions(({ enqueue: then, context: { queue, resting } }) => {
      for (const session of queue.sessions) {
        const rest = resting[session.agentId];
        const [head] = session.items;
        if (rest === undefined || head?.kind !== 'notification' || rest.told.includes(session.key)) continue;
        then.assign(({ context }) => ({ resting: withTold(context.resting, session) }));
        then.spawnChild('tellRest', {
          id: restNoteId(session.key),
          input: { session: session.key, notificationId: itemId(head), agent: rest.spent.agent },
        });
      }
    }),
    endRestNote: enqueueActions(({ enqueue: then, context }, { output }: { output: RestNoteOutput }) => {
      then.stopChild(restNoteId(output.session));
      // The next page tries again.
      if (!output.told) then.assign({ resting: withoutTold(context.resting, output.session) });
    }),
    endRest: enqueueActions(({ enqueue: then, context }, { agentId }: { agentId: string }) => {
      const rest = context.resting[agentId];
      if (rest === undefined) return;
      then.assign({ resting: withoutKeys(context.resting, [agentId]) });
      then.sendTo(context.parent, isWell(restSource(rest.spent.agent)));
    }),
    forgetContexts: assign(({ context }) => ({ queue: forgetContexts(context.queue) })),
    startPoll: assign(({ context }) => ({
      poll: { ...context.poll, asked: pageSize(context), settled: [], changed: false },
    })),
    noteOffer: assign(({ context: { poll } }) => ({ poll: { ...poll, offerKnown: true } })),
    noteChange: assign(({ context: { poll } }) => ({
      poll: { ...poll, changed: true, more: poll.more === 'no' ? ('yes' as const) : poll.more },
    })),
    noteWatch: assign(({ context: { poll } }, { watched }: { watched: boolean }) => ({
      watched,
      poll: { ...poll, silentMs: 0 },
    })),
    /** While a list is on its way: it may be older than what has just ended. */
    noteSettled: assign(({ context: { poll } }, { output }: { output: ChildOutput }) => ({
      poll:
        output.outcome === 'handedBack'
          ? { ...poll, changed: true }
          : { ...poll, settled: [...poll.settled, idOf(output)] },
    })),
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
    /** A failure tells of every scope that it may be the trouble of. */
    noteFailure: enqueueActions(({ enqueue: then, context, self }, failed: FunctionFailed | RunFailed) => {
      const { troubles, sources } = context;
      const { now } = sources;
      const { session, who, reason } = failed;
      const scopes =
        failed.type === 'function.failed'
          ? scopesOfCall(session, failed.name, troubles)
          : scopesOfRun(session, troubles);
      const fresh = scopes.filter((scope) => troubles[scope] === undefined);
      then.assign({
        troubles: { ...troubles, ...Object.fromEntries(fresh.map((scope) => [scope, 'doubtful' as const])) },
      });
      for (const scope of fresh) {
        const id = actorOf(scope);
        const kind = scopeKind(scope);
        const names = { function: scope, agent: who.agent, session: who.title };
        const input = { parent: self, scope, who: names[kind], enough: ENOUGH[kind], now };
        then.spawnChild('trouble', { id, systemId: id, input });
      }
      for (const scope of scopes) {
        then.sendTo(actorOf(scope), { type: 'trouble.seen', subject: session, reason });
      }
    }),
    /** Something worked: whoever was in doubt, or in trouble, is well. */
    notePassed: enqueueActions(({ enqueue: then, context }, { scopes }: { scopes: readonly string[] }) => {
      for (const scope of scopes) {
        if (context.troubles[scope] !== undefined) then.sendTo(actorOf(scope), { type: 'trouble.passed' });
      }
    }),
    noteTrouble: enqueueActions(({ enqueue: then, context }, found: TroubleFound) => {
      const { scope, who, reason, since } = found;
      if (context.troubles[scope] === undefined) return;
      const explained = explainedBy(scope, context.troubles);
      const troubles = { ...withoutKeys(context.troubles, explained), [scope]: 'found' as const };
      then.assign({ troubles });
      for (const other of explained) {
        then.stopChild(actorOf(other));
        if (context.troubles[other] === 'found') then.sendTo(context.parent, isWell(other));
      }
      if (scopeKind(scope) === 'function') {
        for (const { actorId } of context.queue.sessions) {
          if (actorId === null) continue;
          then.sendTo(actorId, { type: 'functions.troubled', names: functionsIn(troubles) });
        }
      }
      const problem = describeTrouble(scope, who, reason);
      then.sendTo(context.parent, { ...isWell(scope), problem, since });
    }),
    /** Whoever rested because of it goes on at once. */
    endTrouble: enqueueActions(({ enqueue: then, context }, { output }: { output: TroubleOutput }) => {
      const { scope, wasFound } = output;
      const troubles = withoutKeys(context.troubles, [scope]);
      then.stopChild(actorOf(scope));
      then.assign({ troubles });
      if (!wasFound) return;
      if (scopeKind(scope) === 'function') {
        for (const { actorId } of context.queue.sessions) {
          if (actorId === null) continue;
          then.sendTo(actorId, { type: 'functions.troubled', names: functionsIn(troubles) });
          then.sendTo(actorId, { type: 'backend.available' });
        }
      }
      then.sendTo(context.parent, isWell(scope));
    }),
    /** The gateway is in trouble: what runs told of agents and notifications is explained by it. */
    excuseScopes: enqueueActions(({ enqueue: then, context }) => {
      const excused = ofRuns(context.troubles);
      then.assign({ troubles: withoutKeys(context.troubles, excused) });
      for (const scope of excused) {
        then.stopChild(actorOf(scope));
        if (context.troubles[scope] === 'found') then.sendTo(context.parent, isWell(scope));
      }
    }),
    /** A problem of its own, which names agent and task. */
    noteStall: enqueueActions(({ enqueue: then, context }, stalled: Stalled) => {
      const { agent, task, silentMs } = stalled;
      then.sendTo(context.parent, stalled);
      then.sendTo(context.parent, {
        type: 'condition.changed',
        source: stallSource(stalled.session),
        of: 'delivery',
        problem: `The run of ${agent}${task === null ? '' : ` on "${task}"`} is open and the gateway has sent nothing for ${inWords(silentMs)}. It goes on until it answers or OPENCLAW_REQUEST_TIMEOUT_MS is over.`,
      });
    }),
    noteHeard: sendTo(
      ({ context }) => context.parent,
      (_, { session }: { session: string }) => isWell(stallSource(session)),
    ),
    noteReady: assign(({ context }, { session, alone }: { session: string; alone: boolean }) => ({
      queue: setReady(context.queue, session, alone),
    })),
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
      const isAside = outcome === 'gone' || outcome === 'stuck';
      const { poll, beaters, trials } = context;
      const queue = isBack ? handBack(context.queue, key) : settle(context.queue, key);
      then.stopChild(session.actorId);
      then.assign({
        queue,
        history: recorded(context, output),
        poll: {
          ...poll,
          silentMs: 0,
          // What was handed back is to be listed; a row that left a full page makes room for another.
          more: isBack || (poll.more === 'pageExhausted' && !isAside) ? 'yes' : poll.more,
        },
        ...(trials.session === key && { trials: { ...trials, session: null } }),
        ...(isAside && { setAside: [...context.setAside, id] }),
        ...(output.kind === 'beat' && { beaters: withoutKeys(beaters, [id]) }),
      });
      const beater = beaters[id];
      if (beater !== undefined && output.kind === 'beat') {
        then.sendTo(beater, { type: 'beat.done', focus: output.focus });
      }
      const thread = threadNews(context, output);
      if (thread !== null) then.assign({ threads: thread.threads });
      if (thread?.changed === true) {
        const { source, taskId, problem } = thread;
        then.sendTo(context.parent, { ...isWell(source), problem });
        then.cancel(source);
        then.raise({ type: 'chatter.aged', taskId }, { id: source, delay: CHATTER_TOLD_MS });
      }
      if (isAside) {
        const wait = outcome === 'stuck' ? STUCK_MS : RECONSIDER_MS;
        then.raise({ type: 'row.reconsider', id, session: key }, reconsidered(id, wait));
      }
      // It stays a problem while it is tried again.
      if (outcome === 'stuck') {
        then.assign({ stuck: [...context.stuck.filter((one) => one !== id), id] });
        then.sendTo(context.parent, { ...isWell(`row:${id}`), problem: describeStuck(output) });
      } else if (context.stuck.includes(id)) {
        then.assign({ stuck: context.stuck.filter((one) => one !== id) });
        then.sendTo(context.parent, isWell(`row:${id}`));
      }
      for (const scope of overWith(queue, session)) {
        if (context.troubles[scope] !== undefined) then.sendTo(actorOf(scope), { type: 'trouble.passed' });
      }
      then.raise({ type: 'session.settled', output });
    }),
    endChatter: sendTo(
      ({ context }) => context.parent,
      (_, { taskId }: { taskId: string }) => isWell(`thread:${taskId}`),
    ),
    /** At a drain, sessions without an actor have nothing to finish. */
    emptyQueue: assign(({ context }) => ({ queue: emptyQueue(context.queue) })),
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
      then.sendTo(context.parent, {
        type: 'session.crashed',
        session: key,
        reason: faultOf(params.error).message,
      });
      then.raise({ type: 'row.reconsider', id, session: key }, reconsidered(id));
    }),
    reapChild: ({ self }, params: { actorId: string }) => reap(self.getSnapshot().children[params.actorId]),
    reconsider: assign(({ context }, { id }: { id: string }) => ({
      setAside: context.setAside.filter((other) => other !== id),
    })),
    takeBeat: assign(({ context }, due: DueBeat) => ({
      queue: enqueue(context.queue, {
        kind: 'beat',
        agent: due.agent,
        seen: due.seen,
        dueAt: context.sources.now(),
      }),
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
            : Math.min(settings.intervalMs, Math.max(MIN_POLL_MS, Math.ceil(poll.silentMs / POLL_SHARE))),
      },
    })),
    countPollFailure: assign(({ context: { poll, history, sources } }, { fault }: { fault: Fault }) => ({
      poll: { ...poll, failures: poll.failures + 1, floorMs: fault.retryAfterMs },
      history: { ...history, lastErrorAt: sources.now(), lastErrorMessage: fault.message },
    })),
    drawBackoff: assign(({ context: { poll, settings, sources } }, params: { refused: boolean }) => {
      const limits = params.refused ? REFUSED_BACKOFF : settings.backend;
      return {
        poll: { ...poll, inMs: backoff(Math.max(1, poll.failures), limits, sources.random(), poll.floorMs) },
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
    announceWell: enqueueActions(({ enqueue: then, context }) => {
      then.sendTo(context.parent, { type: 'condition.changed', source: 'delivery', problem: null });
      if (context.poll.failures > 0) then.sendTo(context.parent, { type: 'backend.available' });
    }),
  },
});
