import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { statePaths } from './state-paths.ts';
import type { NoteReason } from '../../machines/lane/notes.ts';
import type { FaultKind } from '../../machines/shared/fault.ts';
import type { MachineReport } from './report.ts';

const DELIVERY_OUTCOMES = ['delivered', 'failed', 'parked', 'released'] as const;

export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** What is so at the moment of a scrape. */
export interface Levels {
  inFlight: number;
  queued: number;
  consecutiveFailures: number;
  gatewayUp: boolean;
  /** The supervised machines only: lanes come and go and would make series without end. */
  machines: readonly Pick<MachineReport, 'id' | 'value'>[];
}

export interface Metrics {
  /** One notification was dealt with, or given back. */
  delivery(outcome: DeliveryOutcome): void;
  /** One notification was given up, and why; `rowFailed`: it could not even be read. */
  parked(reason: NoteReason | 'rowFailed'): void;
  /** One run that began has ended, after so many seconds. */
  run(outcome: 'replied' | FaultKind, seconds: number): void;
  /** The supervisor restarted a child. */
  childRestart(child: string): void;
  /** One call to Mission Control has ended; `name` is the function's name in the contract. */
  backendCall(name: string, outcome: 'ok' | FaultKind): void;
  /** Everything in the Prometheus text format. */
  render(levels: Levels): Promise<string>;
}

/** Seconds; the default time-out of a run is 600. */
const RUN_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 450, 600];

/** prom-client's 10 ms costs an idle runtime 1% of a core, this a tenth of that. */
const EVENT_LOOP_SAMPLING_MS = 100;

/** The metrics of one process, in a registry of their own. Labels are closed sets: never an id of a row or a session. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS });
  const forgetDelays = measureEventLoop(registry);
  const counters = createCounters(registry);
  const setLevels = createGauges(registry, version);
  const runSeconds = new Histogram({
    name: 'mission_control_run_duration_seconds',
    help: 'How long agent runs took.',
    buckets: RUN_BUCKETS,
    registers: [registry],
  });

  return {
    delivery: (outcome) => counters.deliveries.inc({ outcome }),
    parked: (reason) => counters.parked.inc({ reason }),
    run(outcome, seconds) {
      counters.runs.inc({ outcome });
      runSeconds.observe(seconds);
    },
    childRestart: (child) => counters.restarts.inc({ child }),
    backendCall: (name, outcome) => counters.backendCalls.inc({ function: name, outcome }),
    async render(levels) {
      setLevels(levels);
      const text = await registry.metrics();
      forgetDelays();
      return text;
    },
  };
}

/**
 * The delay of the event loop since the last scrape. In prom-client's own figures of these names the sampling interval
 * is counted in, so that an idle runtime would seem to lag by 100 ms.
 * @returns begins anew
 */
function measureEventLoop(registry: Registry): () => void {
  const histogram = monitorEventLoopDelay({ resolution: EVENT_LOOP_SAMPLING_MS });
  histogram.enable();
  for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`);
  }
  for (const percent of [50, 90, 99]) {
    new Gauge({
      name: `nodejs_eventloop_lag_p${percent}_seconds`,
      help: `The ${percent}th percentile of the event loop's delays since the last scrape.`,
      registers: [registry],
      collect() {
        this.set(Math.max(0, histogram.percentile(percent) / 1e9 - EVENT_LOOP_SAMPLING_MS / 1_000));
      },
    });
  }
  return () => histogram.reset();
}

function createCounters(registry: Registry) {
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name: `mission_control_${name}_total`, help, labelNames, registers: [registry] });
  const deliveries = counter('deliveries', 'Notifications dealt with, by how it ended.', ['outcome']);
  // A series that begins at 0 lets rate() see the first one.
  for (const outcome of DELIVERY_OUTCOMES) deliveries.inc({ outcome }, 0);
  return {
    deliveries,
    parked: counter('parked', 'Notifications that were given up, by why.', ['reason']),
    runs: counter('runs', 'Agent runs that ended, by how they ended.', ['outcome']),
    restarts: counter('child_restarts', 'Restarts of supervised machines.', ['child']),
    backendCalls: counter('backend_calls', 'Calls to Mission Control.', ['function', 'outcome']),
  };
}

function createGauges(registry: Registry, version: string): (levels: Levels) => void {
  const gauge = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Gauge({ name: `mission_control_${name}`, help, labelNames, registers: [registry] });
  const inFlight = gauge('in_flight', 'Sessions at work.');
  const queued = gauge('queued', 'Notifications that wait in this process.');
  const failures = gauge('delivery_consecutive_failures', 'Polls that failed in a row.');
  const gatewayUp = gauge('gateway_up', 'Whether runs can be sent to the OpenClaw gateway.');
  const state = gauge('state', 'The states that a supervised machine is in.', ['machine', 'state']);
  gauge('build_info', 'The version of the runtime, as a label.', ['version']).set({ version }, 1);

  return (levels) => {
    inFlight.set(levels.inFlight);
    queued.set(levels.queued);
    failures.set(levels.consecutiveFailures);
    gatewayUp.set(levels.gatewayUp ? 1 : 0);
    state.reset();
    for (const { id, value } of levels.machines) {
      for (const path of statePaths(value)) state.set({ machine: id, state: path }, 1);
    }
  };
}
