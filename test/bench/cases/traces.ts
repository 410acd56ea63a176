import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark, Report } from '../benchmark.ts';
import { settingsFor } from '../compare.ts';
import { median } from '../numbers.ts';
import { untilAnswer, untilConnected } from '../runtime.ts';
import { drain, onStage, type Stage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime, type Worker } from '../worker.ts';

const COUNT = 400;
const SESSIONS = 50;
const ROUNDS = 6;
const STARTS = 10;
const SETTLE_MS = 5_000;

/** `away`: nobody listens at the endpoint. */
const MODES = ['off', 'on', 'away'] as const;
type Mode = (typeof MODES)[number];

interface Subject {
  mode: Mode;
  stage: Stage;
  runtime: Worker;
  /** Milliseconds of the runtime for each delivery, one for each round. */
  cpu: number[];
  /** Megabytes: when idle, and after the last round. */
  idle: number;
  busy: number;
}

/** The runtimes take turns: the machine may be busier at one time than at another. */
export const traces: Benchmark = {
  name: 'traces',
  what: `what traces cost: first /health answer (median of ${STARTS}), memory, and ${COUNT} deliveries without them, with them, and with nobody at the endpoint`,
  run: async (report) => {
    const receiver = createServer((request, response) => {
      request.resume().once('end', () => response.end());
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    try {
      await measure(report, {
        off: {},
        on: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
        // The port of tcpmux, where nobody listens.
        away: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
      });
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  },
};

type Environments = Record<Mode, Record<string, string>>;

const measure = (report: Report, environments: Environments): Promise<void> =>
  onStage({ sessions: SESSIONS }, (off) =>
    onStage({ sessions: SESSIONS }, (on) =>
      onStage({ sessions: SESSIONS }, async (away) => {
        await compareStarts(report, off, environments);
        await compareWork(report, { off, on, away }, environments);
      }),
    ),
  );

async function compareStarts({ figure }: Report, stage: Stage, { off, on }: Environments): Promise<void> {
  const times: Record<'off' | 'on', number[]> = { off: [], on: [] };
  for (let n = 0; n < STARTS; n++) {
    times.off.push(await startOnce(stage, off));
    times.on.push(await startOnce(stage, on));
  }
  figure({ name: 'traces.off.first_health', value: median(times.off), unit: 'ms' });
  figure({
    name: 'traces.on.first_health',
    value: median(times.on),
    unit: 'ms',
    ...against(times.on, times.off),
  });
}

async function startOnce(stage: Stage, env: Record<string, string>): Promise<number> {
  const runtime = await spawnRuntime(stage, env);
  try {
    await untilAnswer(runtime, '/health', () => true, 1);
    return performance.now() - runtime.startedAt;
  } finally {
    await runtime.close();
  }
}

async function compareWork(
  { figure, progress }: Report,
  stages: Record<Mode, Stage>,
  environments: Environments,
): Promise<void> {
  const subjects: Subject[] = [];
  try {
    for (const mode of MODES) {
      const runtime = await spawnRuntime(stages[mode], { ...settingsFor(SESSIONS), ...environments[mode] });
      subjects.push({ mode, stage: stages[mode], runtime, cpu: [], idle: 0, busy: 0 });
      await untilConnected(runtime);
    }
    await delay(SETTLE_MS);
    for (const subject of subjects) subject.idle = usageOf(subject.runtime.pid).rssMb;
    // The first round is for the compiler.
    for (const { stage, runtime } of subjects) await drain(stage, runtime, COUNT);
    for (let round = 0; round < ROUNDS; round++) {
      progress(`round ${round + 1} of ${ROUNDS}`);
      // Each begins as often as the others.
      const first = round % subjects.length;
      for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) await takeTurn(subject);
    }
    for (const subject of subjects) subject.busy = usageOf(subject.runtime.pid).rssMb;
    tell(figure, subjects);
  } finally {
    await Promise.all(subjects.map(({ runtime }) => runtime.close()));
  }
}

async function takeTurn({ stage, runtime, cpu }: Subject): Promise<void> {
  const before = usageOf(runtime.pid).cpuMs;
  await drain(stage, runtime, COUNT);
  cpu.push((usageOf(runtime.pid).cpuMs - before) / COUNT);
}

function tell(figure: Report['figure'], subjects: readonly Subject[]): void {
  const off = subjects.find(({ mode }) => mode === 'off');
  for (const { mode, cpu, idle, busy } of subjects) {
    const ratios = mode === 'off' || off === undefined ? null : off;
    figure({
      name: `traces.${mode}.idle_rss`,
      value: idle,
      unit: 'MB',
      ...(ratios && { ratio: idle / ratios.idle }),
    });
    figure({
      name: `traces.${mode}.busy_rss`,
      value: busy,
      unit: 'MB',
      ...(ratios && { ratio: busy / ratios.busy }),
    });
    figure({
      name: `traces.${mode}.cpu`,
      value: median(cpu),
      unit: 'ms/delivery',
      ...(ratios && against(cpu, ratios.cpu)),
    });
  }
}

/** Each ratio compares turns of the same round, which are seconds apart. The figure is the median. */
const against = (own: readonly number[], others: readonly number[]) => ({
  ratio: median(own.map((value, n) => value / (others[n] ?? Number.NaN))),
});
