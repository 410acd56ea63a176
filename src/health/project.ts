import type { AnyActorRef, StateValue } from 'xstate';
import { noHistory } from '../../machines/delivery/history.ts';
import { countQueued, EMPTY_QUEUE } from '../../machines/delivery/queue.ts';
import { actorName, isSessionActor } from '../../machines/shared/actor-name.ts';
import { isStall } from '../../machines/shared/listening.ts';
import { isRest } from '../../machines/shared/spending.ts';
import { TAGS, type Tag } from '../../machines/shared/tags.ts';
import { EXIT } from '../../machines/supervisor/context.ts';
import type { SupervisorActor } from '../../machines/supervisor/machine.ts';
import type { Spending } from '../actors/spending.ts';
import type { Config } from '../config/config.ts';
import { childrenOf, machineSnapshot, snapshotOf, type MachineView } from './children.ts';
import { heartbeatsShown, isDegraded, isHeartbeat } from './heartbeats.ts';
import { runInHand } from './run-in-hand.ts';
import { SESSIONS_SHOWN, sessionsReport } from './sessions.ts';
import type * as Report from './report.ts';
import type { StateClock } from './state-clock.ts';
import { tokensReport } from './tokens.ts';
import { statePaths } from './state-paths.ts';
import { nextTimers } from './timers.ts';
import { agentNames, sessionKeyOf, titleOf, type AgentNames } from './titles.ts';

export interface ProjectionSources {
  root: SupervisorActor;
  clock: StateClock;
  config: Config;
  openclawVersion: () => string;
  spending: Pick<Spending, 'days'>;
  /** When the gateway last sent something in the open round of a session, by its key at Convex. */
  lastSign: (sessionKey: string) => number | null;
  /** How many replies are kept because they cannot be posted. */
  deadLetters: () => number;
  /** How many notifications Mission Control has that nobody has answered. */
  waiting: () => number;
}

/** What one look at the machines needs to know. */
interface Look extends ProjectionSources {
  timers: ReadonlyMap<string, number>;
  agents: AgentNames;
}

const lookAt = (sources: ProjectionSources): Look => ({
  ...sources,
  timers: nextTimers(sources.root),
  agents: agentNames(sources.root),
});

/** The machines' snapshots as the public report: an allow-list, field by field. No context leaves as it is. */
export function projectHealth(sources: ProjectionSources): Report.HealthReport {
  const look = lookAt(sources);
  const { config } = sources;
  return {
    ...statusOf(sources),
    problems: problemsOf(look),
    uptime: Math.round(process.uptime() * 1_000) / 1_000,
    versions: {
      runtime: config.runtimeVersion,
      openclaw: sources.openclawVersion(),
      node: process.versions.node,
    },
    infrastructure: {
      dropletId: config.droplet.id,
      ip: config.droplet.ip,
      region: config.droplet.region,
    },
    gateway: gatewayReport(look),
    delivery: deliveryReport(look),
    heartbeat: heartbeatReport(look),
    agentSync: agentSyncReport(look),
    upgrade: upgradeReport(look),
    extensions: extensionsReport(look),
    journal: journalReport(look),
    tokens: tokensReport(sources.spending.days(), config.tokenLimits),
    memory: memoryReport(),
    ...machineReports(look),
  };
}

/** The part of the report that is quick to make: what the inspector's bar shows. */
export function projectStatus(
  sources: ProjectionSources,
): Pick<Report.HealthReport, 'status' | 'reason' | 'problems' | 'delivery'> & { runs: OpenRun[] } {
  const look = lookAt(sources);
  return {
    ...statusOf(sources),
    problems: problemsOf(look),
    delivery: deliveryReport(look),
    runs: openRuns(look),
  };
}

export type OpenRun = Pick<Report.MachineReport, 'id' | 'since' | 'lastSignAt' | 'until'>;

/** The runs that are open now, at most as many as the report shows sessions. */
const openRuns = (look: Look): OpenRun[] =>
  sessionMachines(look)
    .filter(({ value }) => isOpenRound(value))
    .slice(0, SESSIONS_SHOWN)
    .map(({ actor, value }) => ({
      id: actorName(actor),
      since: timestamp(look.clock.since(actor)),
      lastSignAt: timestamp(lastSignAt(look, actor)),
      until: timestamp(runLimitAt(look, actor, value)),
    }));

/**
 * The part that the inspector remembers of the past. It asks at every step of the supervisor and of delivery, so the
 * part is small.
 */
export const glanceAt = (root: SupervisorActor): { status: Report.HealthStatus; delivered: number } => ({
  status: statusOf({ root, deadLetters: () => 0 }).status,
  delivered: deliveredOf(snapshotOf(root, 'delivery')?.context.history.counts ?? noHistory.counts),
});

const deliveredOf = ({ delivered, silent, skipped }: typeof noHistory.counts): number =>
  delivered + silent + skipped;

function statusOf({
  root,
  deadLetters,
}: Pick<ProjectionSources, 'root' | 'deadLetters'>): Pick<Report.HealthReport, 'status' | 'reason'> {
  const { context, ...snapshot } = root.getSnapshot();
  if (context.exitCode === EXIT.bug) return { status: 'failed', reason: context.exitReason };
  if (snapshot.status !== 'active' || root.getSnapshot().hasTag('draining')) {
    return { status: 'draining', reason: context.exitReason };
  }
  if (root.getSnapshot().hasTag('starting')) return { status: 'starting', reason: 'Starting.' };
  const conditions = Object.values(context.conditions);
  if (conditions.length > 0) {
    const failed = conditions.some(({ severity }) => severity === 'failed');
    return {
      status: failed ? 'failed' : 'degraded',
      reason: conditions.map(({ problem }) => problem).join(' '),
    };
  }
  return { status: 'healthy', reason: lossesOf(root, deadLetters()) ?? 'All is well.' };
}

/** What is over and needs no machine any more, but a person should still hear about. */
function lossesOf(root: SupervisorActor, deadLetters: number): string | null {
  const { recentParks = [], counts = noHistory.counts } = snapshotOf(root, 'delivery')?.context.history ?? {};
  const parked = counts.parked + counts.unanswered;
  const sentences = [
    ...(deadLetters > 0
      ? [`Replies that could not be posted: ${deadLetters}. \`npm run replies\` shows them.`]
      : []),
    ...(parked > 0
      ? [
          `Notifications given up since the start: ${parked}; the last one: ${recentParks.at(-1)?.reason ?? ''}`,
        ]
      : []),
  ];
  return sentences.length === 0 ? null : `All works now. ${sentences.join(' ')}`;
}

function problemsOf(look: Look): Report.ProblemReport[] {
  const { conditions } = look.root.getSnapshot().context;
  return Object.entries(conditions).map(([source, { problem, since }]) => ({
    source,
    title: titleOfProblem(source, look),
    problem,
    since: timestamp(since),
    nextTryAt: timestamp(nextTryOf(source, look)),
  }));
}

function titleOfProblem(source: string, look: Look): string {
  const [, scope, key = ''] = /^(agent|session|calls|wait|alone|run|thread):(.+)$/.exec(source) ?? [];
  if (scope === undefined) return source.replace(/^away:/, '');
  if (scope === 'agent') return look.agents.get(key) ?? scope;
  const actor = sessionActors(look.root).find((one) => actorName(one).endsWith(`:${key}`));
  return (actor && titleOf(actor, look.agents)) ?? scope;
}

function sessionActors(root: SupervisorActor): AnyActorRef[] {
  const { delivery } = childrenOf(root);
  return Object.values(delivery === undefined ? {} : childrenOf(delivery)).flatMap((actor) =>
    actor !== undefined && isSessionActor(actor) ? [actor] : [],
  );
}

/** When the next try goes out: of the child that is in trouble, or of the first session that the trouble holds. */
function nextTryOf(source: string, { root, timers }: Look): number | undefined {
  // Nothing is tried for these. An agent at rest waits for its day to end, and a silent run waits for the gateway.
  if (isRest(source) || isStall(source)) return undefined;
  const { [source]: child } = childrenOf(root);
  if (child !== undefined) return timers.get(child.sessionId);
  const [, scope, key] = /^(agent|session|calls|wait|alone):(.+)$/.exec(source) ?? [];
  const isHeld = (name: string): boolean =>
    scope === 'agent' ? name.includes(`:${key}/`) : scope === undefined || name.endsWith(`:${key}`);
  const tries = sessionActors(root)
    .filter((actor) => isHeld(actorName(actor)))
    .flatMap(({ sessionId }) => timers.get(sessionId) ?? []);
  return tries.length === 0 ? undefined : Math.min(...tries);
}

function gatewayReport({ root, clock, config, timers }: Look): Report.GatewayReport {
  const actor = childrenOf(root).gateway;
  const snapshot = snapshotOf(root, 'gateway');
  const state = snapshot === null ? 'down' : topState(snapshot.value);
  const { version = null, agents = null, problem = null } = snapshot?.context ?? {};
  return {
    state: state === 'choosing' ? 'probing' : state,
    url: config.gateway?.url ?? null,
    since: timestamp(actor && clock.sinceOutermost(actor)),
    reason: state === 'connected' ? null : problem,
    nextTryAt: timestamp(timers.get(actor?.sessionId ?? '')),
    version,
    agents: agents?.length ?? null,
  };
}

function deliveryReport({ root, config, timers, waiting }: Look): Report.DeliveryReport {
  const context = snapshotOf(root, 'delivery')?.context;
  const { counts, failedRuns, recentParks, lastErrorAt, lastErrorMessage, lastDeliveryAt } =
    context?.history ?? noHistory;
  const sum = (...outcomes: (keyof typeof counts)[]): number =>
    outcomes.reduce((total, outcome) => total + counts[outcome], 0);
  return {
    delivered: deliveredOf(counts),
    posted: counts.delivered,
    silent: counts.silent,
    skipped: counts.skipped,
    chatter: counts.chatter,
    failed: failedRuns,
    parked: sum('parked', 'unanswered'),
    recentParks: recentParks.map(({ at, reason }) => ({ at: timestamp(at), reason })),
    inFlight: context?.queue.counts.running ?? 0,
    queued: countQueued(context?.queue ?? EMPTY_QUEUE),
    waiting: waiting(),
    pageExhausted: context?.poll.more === 'pageExhausted',
    consecutiveFailures: context?.poll.failures ?? 0,
    lastErrorAt: timestamp(lastErrorAt),
    lastErrorMessage,
    lastDeliveryAt: timestamp(lastDeliveryAt),
    nextPollAt: timestamp(timers.get(childrenOf(root).delivery?.sessionId ?? '')),
    wakeUp: wakeUpState(root, config),
    config: config.delivery,
  };
}

function wakeUpState(root: SupervisorActor, config: Config): Report.WakeUp {
  if (!config.wakeUp) return 'off';
  const state = snapshotOf(root, 'extensions')?.value ?? 'down';
  if (typeof state === 'object') return state.watching;
  if (state === 'choosing') return 'asking';
  return state === 'offered' ? 'absent' : state;
}

function extensionsReport({ root }: Look): Report.ExtensionsReport {
  const { functions = null, reason = null } = snapshotOf(root, 'extensions')?.context ?? {};
  return { functions, reason };
}

function journalReport({ root, timers, deadLetters }: Look): Report.JournalReport {
  const snapshot = snapshotOf(root, 'journal');
  return {
    state: snapshot === null ? 'down' : topState(snapshot.value),
    reason: snapshot?.context.problem ?? null,
    nextTryAt: timestamp(timers.get(childrenOf(root).journal?.sessionId ?? '')),
    deadLetters: deadLetters(),
  };
}

function heartbeatReport({ root, timers }: Look): Report.HeartbeatReport {
  const beats = Object.values(childrenOf(root)).filter(isHeartbeat);
  const next = beats.flatMap((actor) => timers.get(actor.sessionId) ?? []);
  return {
    agents: beats.length,
    unreachable: beats.filter(isDegraded).length,
    beats: snapshotOf(root, 'delivery')?.context.history.counts.beaten ?? 0,
    nextBeatAt: next.length === 0 ? null : timestamp(Math.min(...next)),
  };
}

function agentSyncReport({ root, timers }: Look): Report.AgentSyncReport {
  const context = snapshotOf(root, 'agentSync')?.context;
  return {
    agents: context?.agents ?? 0,
    skipped: context?.skipped ?? 0,
    missing: context?.missing ?? [],
    consecutiveFailures: context?.failures ?? 0,
    lastErrorMessage: context?.lastErrorMessage ?? null,
    lastSyncAt: timestamp(context?.lastSyncAt),
    nextSyncAt: timestamp(timers.get(childrenOf(root).agentSync?.sessionId ?? '')),
  };
}

function upgradeReport({ root, config }: Look): Report.UpgradeReport {
  const snapshot = snapshotOf(root, 'upgrade');
  const pending = snapshot?.context.pending ?? null;
  return {
    mode: config.upgradeMode,
    state: snapshot?.value ?? 'current',
    reason: snapshot?.context.notice ?? null,
    targetOpenclawVersion: pending?.targetOpenclawVersion ?? null,
    targetRuntimeVersion: pending?.targetRuntimeVersion ?? null,
    requestedAt: timestamp(pending?.initiatedAt),
  };
}

function memoryReport(): Report.MemoryReport {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal, externalBytes: external };
}

function machineReports(look: Look): Pick<Report.HealthReport, 'machines' | 'sessions'> {
  const children = Object.values(childrenOf(look.root));
  return {
    machines: [
      look.root,
      ...children.filter((child) => !isHeartbeat(child)),
      ...heartbeatsShown(children.filter(isHeartbeat)),
    ]
      .flatMap(machineOf)
      .map((machine) => describeMachine(look, machine)),
    sessions: sessionsReport(sessionMachines(look), (session) => describeMachine(look, session)),
  };
}

/** What works at the head of each session. */
function sessionMachines({ root }: Look): Machine[] {
  const { delivery } = childrenOf(root);
  return (delivery === undefined ? [] : Object.values(childrenOf(delivery))).flatMap((actor) =>
    isSessionActor(actor) ? machineOf(actor) : [],
  );
}

interface Machine {
  actor: AnyActorRef;
  snapshot: MachineView;
  value: StateValue;
}

/** Nothing for promises and callbacks. */
function machineOf(actor: AnyActorRef | undefined): Machine[] {
  const snapshot = actor && machineSnapshot(actor);
  return actor === undefined || snapshot == null ? [] : [{ actor, snapshot, value: snapshot.value }];
}

const describeMachine = (look: Look, { actor, snapshot, value }: Machine): Report.MachineReport => ({
  id: actorName(actor),
  title: titleOf(actor, look.agents),
  value,
  tags: TAGS.filter((tag) => snapshot.hasTag(tag)) satisfies Tag[],
  since: timestamp(look.clock.since(actor)),
  nextTimerAt: timestamp(look.timers.get(actor.sessionId)),
  until: timestamp(runLimitAt(look, actor, value)),
  run: runInHand(snapshot),
  lastSignAt: timestamp(lastSignAt(look, actor)),
  restarts: look.root.getSnapshot().context.restarts[actor.id] ?? 0,
});

/** When an open run is cut off, in milliseconds since the epoch; null for a machine that has none open. */
function runLimitAt({ clock, config }: Look, actor: AnyActorRef, value: StateValue): number | null {
  const since = clock.since(actor);
  const isRun = isSessionActor(actor) && isOpenRound(value);
  return isRun && since !== null && config.gateway !== null ? since + config.gateway.requestTimeoutMs : null;
}

const isOpenRound = (value: StateValue): boolean => statePaths(value).join().startsWith('working.running.');

/** null for what has no round open. */
function lastSignAt({ lastSign }: Look, actor: AnyActorRef): number | null {
  const key = sessionKeyOf(actor);
  return key === null ? null : lastSign(key);
}

/** `{ connected: 'steady' }` is connected. */
function topState<TValue extends StateValue>(value: TValue): TopState<TValue> {
  return (typeof value === 'string' ? value : Object.keys(value)[0]) as TopState<TValue>;
}

type TopState<TValue> = TValue extends string ? TValue : keyof TValue;

const timestamp = (ms: number | null | undefined): Report.Timestamp =>
  ms == null ? null : new Date(ms).toISOString();
