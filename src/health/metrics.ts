import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ToolOutcome } from '../../machines/shared/acting.ts';
import type { Gate } from '../../machines/shared/evidence.ts';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { EVENT_LOOP_SAMPLING_MS, measureEventLoop } from './event-loop.ts';
import type { RunOutcome } from '../actors/count-run.ts';
import { LABELS, type Child, type DeliveryOutcome, type ParkReason } from './metric-labels.ts';
import type { MachineReport } from './report.ts';
import { freeBytes } from './free-bytes.ts';
import { statePaths } from './state-paths.ts';

/** What holds at the moment of a scrape. */
export interface Levels {
  inFlight: number;
  queued: number;
  /** Notifications that Mission Control has and nobody has answered. */
  waiting: number;
  /** Age of the oldest of them, in seconds; 0 when none waits. */
  queueAgeSeconds: number;
  consecutiveFailures: number;
  gatewayUp: boolean;
  /** Runs that are open and silent for longer than STALL_AFTER. */
  stalledRuns: number;
  /** Agents that have used up AGENT_TOKENS_PER_DAY. */
  agentsAtRest: number;
  /** Replies that are kept because they cannot be posted. */
  deadLetters: number;
  /** Whether runs may go out. */
  gate: Gate;
  /** The supervised machines only: those of notifications come and go and would make series without end. */
  machines: readonly Pick<MachineReport, 'id' | 'value'>[];
}

export interface Metrics {
  /** A notification came to its end, or was handed back, or one of its runs failed. */
  delivery(outcome: DeliveryOutcome): void;
  /** A notification was given up. */
  parked(reason: ParkReason): void;
  /** A reply was posted so many seconds after its notification was created. */
  latency(seconds: number): void;
  /** A run that began has ended, after so many seconds of work by the gateway. */
  run(outcome: RunOutcome, seconds: number): void;
  /** A run was silent for longer than STALL_AFTER; told once for each run. */
  stall(): void;
  /** A call of a tool has ended, after so many seconds. */
  toolCall(tool: string, outcome: ToolOutcome, seconds: number): void;
  /** Tokens that the gateway reported for a response. */
  tokens(agent: string, usage: { inputTokens: number; outputTokens: number }): void;
  /** The account's agents: their token series begin at 0. */
  agents(slugs: readonly string[]): void;
  /** The supervisor restarted a child. */
  childRestart(child: Child): void;
  /** A call to Mission Control has ended; `name` is the function's name in the contract. */
  backendCall(name: string, outcome: 'ok' | FaultKind): void;
  /** All metrics in the Prometheus text format. */
  render(levels: Levels): Promise<string>;
}

/** Seconds; a run is cut off after 600 by default. */
const RUN_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 450, 600, 1_800, 3_600];
/** Seconds from the creation of a notification to its reply; a message may wait for hours. */
const LATENCY_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400];
/** Seconds of a call to Mission Control, which may be waited for while it is away. */
const TOOL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** The most agents that get series of their own; the tokens of all others are counted together. */
const MOST_AGENTS = 200;
const OTHER_AGENTS = 'other';

/**
 * The metrics of one process, in a registry of their own. Every series whose labels are known beforehand exists from
 * the start, at 0: increase() sees its first event only then. Labels are closed sets and agents, never tasks or rows.
 *
 * @param stateDir the directory of the journal, whose disk is watched
 */
export function createMetrics(version: string, stateDir: string): Metrics & { registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS });
  const restartEventLoop = measureEventLoop(registry);
  const counters = createCounters(registry);
  const histograms = createHistograms(registry);
  const setLevels = createGauges(registry, version);
  createDiskGauge(registry, stateDir);
  const agents = new Set<string>();

  const agentLabel = (slug: string): string => {
    if (agents.has(slug)) return slug;
    if (agents.size >= MOST_AGENTS) return OTHER_AGENTS;
    agents.add(slug);
    for (const direction of LABELS.direction) counters.tokens.inc({ agent: slug, direction }, 0);
    return slug;
  };

  return {
    registry,
    delivery: (outcome) => counters.deliveries.inc({ outcome }),
    parked: (reason) => counters.parked.inc({ reason }),
    latency: (seconds) => histograms.latency.observe(seconds),
    run(outcome, seconds) {
      counters.runs.inc({ outcome });
      histograms.runs.observe(seconds);
    },
    stall: () => counters.stalls.inc(),
    toolCall(tool, outcome, seconds) {
      // A name that a model made up is no label.
      const known = LABELS.tool.includes(tool) ? tool : 'unknown';
      counters.toolCalls.inc({ tool: known, outcome });
      histograms.toolCalls.observe(seconds);
    },
    tokens(agent, { inputTokens, outputTokens }) {
      const label = agentLabel(agent);
      counters.tokens.inc({ agent: label, direction: 'input' }, inputTokens);
      counters.tokens.inc({ agent: label, direction: 'output' }, outputTokens);
    },
    agents: (slugs) => slugs.forEach(agentLabel),
    childRestart: (child) => counters.restarts.inc({ child }),
    backendCall: (name, outcome) => counters.backendCalls.inc({ function: name, outcome }),
    async render(levels) {
      setLevels(levels);
      const text = await registry.metrics();
      restartEventLoop();
      return text;
    },
  };
}

function createCounters(registry: Registry) {
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name: `mission_control_${name}_total`, help, labelNames, registers: [registry] });

  const deliveries = counter('deliveries', 'Notifications by how they ended, and runs that failed.', [
    'outcome',
  ]);
  const parked = counter('parked', 'Notifications that were given up, by reason.', ['reason']);
  const runs = counter(
    'runs',
    'Runs of agents that ended, by how they ended. Rows that a rule left out had none.',
    ['outcome'],
  );
  const stalls = counter('run_stalls', 'Runs of which nothing was heard for longer than STALL_AFTER.', []);
  const restarts = counter('child_restarts', 'Restarts of supervised machines.', ['child']);
  const toolCalls = counter('tool_calls', 'Calls of tools by agents, by how they ended.', [
    'tool',
    'outcome',
  ]);
  const tokens = counter('tokens', 'Tokens that the gateway reported.', ['agent', 'direction']);
  const backendCalls = counter('backend_calls', 'Calls to Mission Control, by how they ended.', [
    'function',
    'outcome',
  ]);

  for (const outcome of LABELS.deliveryOutcome) deliveries.inc({ outcome }, 0);
  for (const reason of LABELS.parkReason) parked.inc({ reason }, 0);
  for (const outcome of LABELS.runOutcome) runs.inc({ outcome }, 0);
  for (const child of LABELS.child) restarts.inc({ child }, 0);
  for (const tool of [...LABELS.tool, 'unknown']) {
    for (const outcome of LABELS.toolOutcome) toolCalls.inc({ tool, outcome }, 0);
  }
  for (const direction of LABELS.direction) tokens.inc({ agent: OTHER_AGENTS, direction }, 0);
  for (const name of LABELS.function) {
    for (const outcome of LABELS.callOutcome) backendCalls.inc({ function: name, outcome }, 0);
  }
  return { deliveries, parked, runs, stalls, restarts, toolCalls, tokens, backendCalls };
}

function createHistograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `mission_control_${name}_seconds`, help, buckets, registers: [registry] });
  return {
    runs: histogram('run_duration', 'Length of agent runs.', RUN_BUCKETS),
    latency: histogram(
      'delivery_latency',
      'Time from the creation of a notification to its reply in the thread.',
      LATENCY_BUCKETS,
    ),
    toolCalls: histogram('tool_call_duration', 'Length of calls of tools.', TOOL_BUCKETS),
  };
}

function createGauges(registry: Registry, version: string): (levels: Levels) => void {
  const gauge = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Gauge({ name: `mission_control_${name}`, help, labelNames, registers: [registry] });
  const inFlight = gauge('in_flight', 'Runs that are open.');
  const queued = gauge('queued', 'Notifications and heartbeats in the queue of this process.');
  const waiting = gauge(
    'waiting',
    'Notifications that Mission Control has and nobody has answered, those in work included.',
  );
  const queueAge = gauge(
    'queue_age_seconds',
    'Age of the oldest notification that was listed and is not answered; 0 when none waits.',
  );
  const failures = gauge('delivery_consecutive_failures', 'Polls that failed in a row.');
  const deadLetters = gauge(
    'dead_letters',
    'Replies that are kept because they cannot be posted (npm run replies).',
  );
  const stalledRuns = gauge(
    'stalled_runs',
    'Open runs of which nothing was heard for longer than STALL_AFTER.',
  );
  const agentsAtRest = gauge(
    'agents_at_rest',
    'Agents that rest until the next UTC day, because they have used up AGENT_TOKENS_PER_DAY.',
  );
  const gatewayUp = gauge('gateway_up', 'Whether runs can be sent to the OpenClaw gateway.');
  const gates = gauge('gate', '1 for the state that the gate of delivery is in.', ['state']);
  const states = gauge('state', '1 for each state that a supervised machine is in.', ['machine', 'state']);
  for (const state of LABELS.gate) gates.set({ state }, 0);
  gauge('build_info', 'The version of the runtime, as a label.', ['version']).set({ version }, 1);

  return (levels) => {
    inFlight.set(levels.inFlight);
    queued.set(levels.queued);
    waiting.set(levels.waiting);
    queueAge.set(levels.queueAgeSeconds);
    failures.set(levels.consecutiveFailures);
    deadLetters.set(levels.deadLetters);
    stalledRuns.set(levels.stalledRuns);
    agentsAtRest.set(levels.agentsAtRest);
    gatewayUp.set(levels.gatewayUp ? 1 : 0);
    for (const state of LABELS.gate) gates.set({ state }, levels.gate === state ? 1 : 0);
    states.reset();
    for (const { id, value } of levels.machines) {
      for (const path of statePaths(value)) states.set({ machine: id, state: path }, 1);
    }
  };
}

function createDiskGauge(registry: Registry, stateDir: string): void {
  new Gauge({
    name: 'mission_control_state_dir_free_bytes',
    help: 'Bytes that can still be written to STATE_DIR.',
    registers: [registry],
    async collect() {
      this.set(await freeBytes(stateDir));
    },
  });
}
