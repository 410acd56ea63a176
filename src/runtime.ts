/**
 * The composition root: gives every machine its I/O, starts the supervisor and watches it. Nothing is decided here.
 */
import { createActor, fromPromise, toPromise } from 'xstate';
import type { InspectionEvent } from 'xstate';
import { agentSyncMachine } from '../machines/agent-sync/machine.ts';
import { profileSyncMachine } from '../machines/profile-sync/machine.ts';
import { beatMachine } from '../machines/beat/machine.ts';
import { deliveryMachine } from '../machines/delivery/machine.ts';
import { extensionsMachine } from '../machines/extensions/machine.ts';
import { gatewayMachine, type Probe } from '../machines/gateway/machine.ts';
import { heartbeatMachine } from '../machines/heartbeat/machine.ts';
import { journalMachine } from '../machines/journal/machine.ts';
import { notificationMachine } from '../machines/notification/machine.ts';
import type { RuntimeStatus } from '../machines/shared/mission-control.ts';
import { pulseMachine } from '../machines/pulse/machine.ts';
import { statusReporterMachine } from '../machines/status-reporter/machine.ts';
import { isStall } from '../machines/shared/listening.ts';
import { isRest } from '../machines/shared/spending.ts';
import type { Gate } from '../machines/shared/evidence.ts';
import type { SupervisorInput, SupervisorOutput } from '../machines/supervisor/context.ts';
import { supervisorMachine, type SupervisorActor } from '../machines/supervisor/machine.ts';
import { upgradeMachine } from '../machines/upgrade/machine.ts';
import { createExtensionsActors } from './actors/extensions.ts';
import { createHealthServerActor } from './actors/health-server.ts';
import { createJournalActors } from './actors/journal.ts';
import { createProfileWriter } from './actors/profiles.ts';
import { createBeatActors } from './actors/beat.ts';
import { createDeadLetters } from './actors/dead-letters.ts';
import { createEntries } from './actors/entries.ts';
import { createListUndelivered } from './actors/list.ts';
import { createNotificationActors } from './actors/notification.ts';
import { createRosterWriter } from './actors/roster.ts';
import { createRestNote } from './actors/rest-note.ts';
import { createSpending, type Spending } from './actors/spending.ts';
import { createSessionLock } from './actors/session-lock.ts';
import { createUpgradeActors } from './actors/upgrade.ts';
import type { Config } from './config/config.ts';
import { createMissionControl } from './mission-control/mission-control.ts';
import type { RuntimeReport } from './ports.ts';
import { createLook } from './mission-control/pulse.ts';
import { snapshotOf } from './health/children.ts';
import { glanceAt, projectHealth, projectStatus } from './health/project.ts';
import { createStateClock } from './health/state-clock.ts';
import type { HealthSource } from './health/app.ts';
import type { WhyAnswer } from './stories/answer.ts';
import { createMeasurer } from './health/measure.ts';
import { createExecute } from './tools/execute.ts';
import { createReportCall } from './tools/report.ts';
import { createSigns } from './health/signs.ts';
import { countTokens } from './health/count-tokens.ts';
import { versionAnswer } from './health/earlier-names.ts';
import { createWaiting } from './health/waiting.ts';
import { createMetrics, type Metrics } from './health/metrics.ts';
import { openInspector, type OpenInspector } from './inspector/open.ts';
import { statusView } from './inspector/status.ts';
import { thisMoment } from './moment.ts';
import { runtimeName } from './runtime-name.ts';
import type { Store } from './journal/store.ts';
import type { Log } from './logging/log.ts';
import { createNarrator } from './logging/narrate.ts';
import { createStories } from './stories/observe.ts';
import type { Traces } from './traces/traces.ts';
import { answerWhy } from './stories/why.ts';
import { createGateway, createNoGateway } from './gateway/client.ts';

export interface RuntimeOptions {
  config: Config;
  store: Store;
  log: Log;
  redact: (text: string) => string;
  /** null: nobody asked for them. */
  traces: Traces | null;
}

export interface Runtime {
  root: SupervisorActor;
  /** Settles when the supervisor has stopped and all connections are closed; rejects when the supervisor itself crashed. */
  done: Promise<SupervisorOutput>;
  /** Opens the inspector there. */
  inspect: (settings: NonNullable<Config['inspector']>) => OpenInspector;
}

export function startRuntime(options: RuntimeOptions): Runtime {
  const { config, store, log, traces } = options;
  const traceparent = traces?.traceparent ?? (() => undefined);
  const carry: Traces['carry'] = traces?.carry ?? ((actors) => actors);
  const metrics = createMetrics(config.runtimeVersion, config.stateDir);
  const { accountId, serviceToken } = config;
  const access = { url: config.convexUrl, accountId, serviceToken, proxy: config.proxies.convex };
  const waiting = createWaiting((seconds) => metrics.latency(seconds));
  const missionControl = waiting.watch(
    createMissionControl({
      ...access,
      maxConcurrent: config.delivery.maxConcurrentSessions,
      onMalformed: ({ what, problem }) =>
        log.warn('backend.malformed', `A malformed row is left out: ${what}: ${problem}`),
      countCall: (name, outcome) => metrics.backendCall(name, outcome),
      holder: runtimeName(store),
      traceparent,
      onOthers: (sign) => root.send(sign),
      onHanging: (event) => root.send(event),
      offer: {
        has: (name) => root.getSnapshot().context.offered?.includes(name) === true,
        failed: (name) => root.send({ type: 'extension.failed', name }),
      },
    }),
  );
  const onUnreadable = (problem: string): void => log.warn('gateway.unreadable', problem);
  const stories = createStories({ texts: config.showTexts, redact: options.redact });
  const signs = createSigns();
  const gateway = countTokens(
    signs.watch(
      config.gateway === null
        ? createNoGateway()
        : createGateway({ ...config.gateway, proxy: config.proxies.gateway, traceparent, onUnreadable }),
    ),
    (agent, session, usage) => {
      metrics.tokens(agent, usage);
      stories.spent(session, usage);
      traces?.spent(usage);
    },
  );
  const lastSign = (sessionKey: string): number | null => signs.last(sessionKey);
  const look = createLook({ url: config.convexUrl, proxy: config.proxies.convex });
  const clock = createStateClock(() => Date.now());
  const why = (question: string): Promise<WhyAnswer> =>
    answerWhy(question, {
      stories,
      root,
      lastSign,
      runLimitMs: config.gateway?.requestTimeoutMs ?? null,
      now: () => Date.now(),
      loadContext: (id, signal) => missionControl.loadContext(id, signal),
    });
  const openclawVersion = (): string =>
    config.openclawVersion ?? snapshotOf(root, 'gateway')?.context.version ?? 'unknown';
  const versions = () => ({ openclawVersion: openclawVersion(), runtimeVersion: config.runtimeVersion });
  const entries = createEntries(store);
  const letters = createDeadLetters(store);
  const spending = createSpending(store);
  const sources = {
    spending,
    lastSign,
    clock,
    config,
    openclawVersion,
    deadLetters: () => letters.all().length,
    waiting: () => waiting.count(),
  };
  const tools = {
    mode: config.agentTools,
    execute: createExecute({
      service: missionControl.tools,
      mode: config.agentTools,
      onBug: (tool, error) =>
        log.error('tool.failed', `The tool ${tool} failed, which is a bug of the runtime`, { error }),
    }),
    report: createReportCall(log, metrics),
    followUps: config.followUps ? missionControl.tools : null,
    roster: () => root.getSnapshot().context.agents,
  };

  const around = {
    missionControl,
    gateway,
    entries,
    letters,
    sessions: createSessionLock(),
    spending,
    log,
    tools,
    countRun: (...run: Parameters<typeof metrics.run>) => metrics.run(...run),
  };

  const machine = supervisorMachine.provide({
    actors: {
      serveHealth: createHealthServerActor({
        host: config.health.host,
        port: config.health.port,
        redact: options.redact,
        log: (level, event, message, fields) => log[level](event, message, fields),
        source: createHealthSource(
          () => projectHealth({ root, ...sources }),
          // A restart mends a dead supervisor, but not a refused token or a gateway that is away.
          () => root.getSnapshot().status !== 'error',
          metrics,
          () => root.getSnapshot().context.gate,
          () => waiting.oldestSeconds(),
          why,
        ),
      }),
      gateway: gatewayMachine.provide({
        actors: {
          probeGateway: fromPromise<Probe, { deep: boolean }>(({ input, signal }) =>
            gateway.probe(input.deep, signal),
          ),
        },
      }),
      delivery: deliveryMachine.provide({
        actors: {
          notification: notificationMachine.provide({ actors: carry(createNotificationActors(around)) }),
          beat: beatMachine.provide({
            actors: carry(createBeatActors(around, tools)),
          }),
          tellRest: fromPromise(createRestNote({ missionControl, store, log })),
          listUndelivered: fromPromise(createListUndelivered(around)),
          releaseRows: fromPromise<void, { keep: readonly string[] }>(({ input, signal }) =>
            missionControl.releaseRows(input.keep, signal),
          ),
        },
      }),
      pulse: pulseMachine.provide({
        actors: { lookAtConvex: fromPromise(({ signal }) => look(signal)) },
      }),
      statusReporter: statusReporterMachine.provide({
        actors: {
          reportStatus: fromPromise<{ asked: boolean }, { status: RuntimeStatus }>(({ input, signal }) =>
            missionControl.updateRuntimeStatus(input.status, createReport(config, openclawVersion()), signal),
          ),
        },
      }),
      upgrade: upgradeMachine.provide({
        actors: createUpgradeActors({ missionControl, store, stateDir: config.stateDir, versions, log }),
      }),
      agentSync: agentSyncMachine.provide({
        actors: {
          listAgents: fromPromise(({ signal }) => missionControl.listAgents(signal)),
          handOverRoster: fromPromise(createRosterWriter(config.rosterFile)),
          listGatewayAgents: fromPromise(async ({ signal }) => (await gateway.probe(true, signal)).agents),
          profileSync: profileSyncMachine.provide({
            actors: {
              listProfiles: fromPromise(({ signal }) => missionControl.listProfiles(signal)),
              publishProfiles: fromPromise(createProfileWriter(config.rosterFile, log)),
            },
          }),
        },
      }),
      journal: journalMachine.provide({ actors: createJournalActors(store) }),
      extensions: extensionsMachine.provide({
        actors: createExtensionsActors({ missionControl, access }),
      }),
      heartbeat: heartbeatMachine.provide({
        actors: {
          reportUnreachable: fromPromise<void, { agentId: string }>(({ input, signal }) =>
            missionControl.updateAgentHeartbeat({ agentId: input.agentId, status: 'offline' }, signal),
          ),
        },
      }),
    },
  });

  const isRoot = (actor: unknown): boolean => actor === root;
  const observers = [
    clock.observe,
    stories.observe,
    (event: InspectionEvent) => traces?.observe(event, stories),
    createNarrator(log, isRoot, Object.keys(config.tokenLimits.bySlug)),
    createMeasurer(metrics, isRoot),
  ];
  const root: SupervisorActor = createActor(machine, {
    id: 'supervisor',
    systemId: 'supervisor',
    input: supervisorInput(config, spending),
    inspect: observeSafely(observers, log),
  });
  const output = toPromise(root);
  root.start();
  const done = output.finally(() => Promise.all([gateway.close(), missionControl.close()]));
  const inspect: Runtime['inspect'] = (settings) =>
    openInspector({
      settings,
      root,
      clock,
      status: () => statusView(projectStatus({ root, ...sources })),
      glance: () => glanceAt(root),
      why,
      version: config.runtimeVersion,
      redact: options.redact,
      log,
    });
  return { root, done, inspect };
}

/** A throwing observer would break the transition that it watches (XState 5.33): none may throw. */
function observeSafely(
  observers: readonly ((event: InspectionEvent) => void)[],
  log: Log,
): (event: InspectionEvent) => void {
  return (event) => {
    // Three of four events are about microsteps and actions, which no observer uses.
    if (event.type !== '@xstate.event' && event.type !== '@xstate.snapshot') return;
    for (const observe of observers) {
      try {
        observe(event);
      } catch (error) {
        log.error('observer.failed', 'An observer of the machines failed', { error });
      }
    }
  };
}

function supervisorInput(config: Config, spending: Spending): SupervisorInput {
  const { delivery } = config;
  const backoff = { baseMs: delivery.backoffBaseMs, capMs: delivery.backoffMaxMs };
  const capMs = Math.max(backoff.baseMs, Math.min(backoff.capMs, MAX_CALL_BACKOFF_MS));
  return {
    gatewayConfigured: config.gateway !== null,
    delivery: {
      intervalMs: delivery.intervalMs,
      backend: { ...backoff, capMs },
      runs: backoff,
      maxConcurrentSessions: delivery.maxConcurrentSessions,
      stallAfterMs: config.stallAfterMs,
      tokenLimits: config.tokenLimits,
      listLimit: delivery.listLimit,
      chainLimit: delivery.chainLimit,
    },
    reconnect: RECONNECT,
    statusIntervalMs: config.healthCheckIntervalMs,
    syncIntervalMs: config.agentSyncIntervalMs,
    profileIntervalMs: config.profileSyncIntervalMs,
    wakeUp: config.wakeUp,
    upgradeMode: config.upgradeMode,
    drainTimeoutMs: config.drainTimeoutMs,
    upgradeDrainTimeoutMs: config.upgradeDrainTimeoutMs,
    random: Math.random,
    spent: () => spending.today(),
    now: () => Date.now(),
    moment: thisMoment,
  };
}

/** A call of Mission Control is cheap, and a function that works again should be noticed within 30 s. */
const MAX_CALL_BACKOFF_MS = 25_000;
/** A probe is cheap, and a gateway that comes back should be noticed soon. */
const RECONNECT = { baseMs: 1_000, capMs: 15_000 };

const createReport = (config: Config, openclawVersion: string): RuntimeReport => ({
  dropletId: config.droplet.id,
  ipAddress: config.droplet.ip,
  region: config.droplet.region,
  lastHealthCheck: Date.now(),
  openclawVersion,
  runtimeServiceVersion: config.runtimeVersion,
});

function createHealthSource(
  health: HealthSource['health'],
  live: HealthSource['live'],
  metrics: Metrics,
  gate: () => Gate,
  queueAgeSeconds: () => number,
  why: HealthSource['why'],
): HealthSource {
  /** A token or an address is refused, so nothing can be delivered before a person acts. */
  const ready = (): boolean => {
    const { status, gateway } = health();
    return ['healthy', 'degraded'].includes(status) && gateway.state !== 'refused';
  };
  return {
    health,
    version: () => versionAnswer(health()),
    metrics: () => {
      const { delivery, gateway, journal, machines, problems } = health();
      return metrics.render({
        inFlight: delivery.inFlight,
        queued: delivery.queued,
        waiting: delivery.waiting,
        queueAgeSeconds: queueAgeSeconds(),
        consecutiveFailures: delivery.consecutiveFailures,
        deadLetters: journal.deadLetters,
        stalledRuns: problems.filter(({ source }) => isStall(source)).length,
        agentsAtRest: problems.filter(({ source }) => isRest(source)).length,
        gatewayUp: gateway.state === 'connected',
        gate: gate(),
        machines: machines.filter(({ id }) => !id.startsWith('heartbeat:')),
      });
    },
    why,
    live,
    ready,
  };
}
