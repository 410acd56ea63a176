import type { Benchmark, Report } from '../benchmark.ts';
import { median } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { callsPerDelivery, drain, onStage, type Stage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnCeiling, spawnRuntime } from '../worker.ts';

const ROUNDS = 3;
const RUN_MS = 50;

export const backlog: Benchmark = {
  name: 'backlog',
  what: 'how fast a backlog drains: 200 over 20 sessions, 1,000 over 200, 10,000 over 1,000',
  async run(report) {
    await timed(report, { count: 200, sessions: 20, goal: { most: 1.3 } });
    await timed(report, { count: 1_000, sessions: 200 });
    await againstCeiling(report, 10_000, 1_000);
  },
};

interface Timed {
  count: number;
  sessions: number;
  goal?: { most: number };
}

/** Runs that take their time: a session's runs come one after another, and that is the limit. */
const timed = ({ figure }: Report, { count, sessions, goal }: Timed): Promise<void> =>
  onStage({ sessions, runMs: RUN_MS }, async (stage) => {
    const runtime = await spawnRuntime(stage, settingsFor(sessions));
    try {
      await untilConnected(runtime);
      // The first round is for the compiler.
      await drain(stage, runtime, count);
      const rounds: number[] = [];
      for (let round = 0; round < ROUNDS; round++) rounds.push(await drain(stage, runtime, count));
      const limit = ((count / sessions) * RUN_MS) / 1_000;
      const value = median(rounds);
      figure({
        name: `backlog.${count}x${sessions}`,
        value,
        unit: 's',
        limit,
        ratio: value / limit,
        ...(goal && { goal }),
      });
    } finally {
      await runtime.close();
    }
  });

const againstCeiling = ({ figure }: Report, count: number, sessions: number): Promise<void> =>
  onStage({ sessions }, async (stage) => {
    const name = `backlog.${count}x${sessions}`;
    const before = await measureCeiling(stage, count / 4);
    const runtime = await measureRuntime(stage, count);
    const after = await measureCeiling(stage, count / 4);
    // The machine may have been busier at one end than at the other.
    const limit = (before.rate + after.rate) / 2;
    figure({
      name: `${name}.rate`,
      value: runtime.rate,
      unit: 'deliveries/s',
      limit,
      ratio: runtime.rate / limit,
      goal: { least: 0.8 },
    });
    const cpuLimit = (before.cpuMs + after.cpuMs) / 2;
    figure({
      name: `${name}.cpu`,
      value: runtime.cpuMs,
      unit: 'ms/delivery',
      limit: cpuLimit,
      ratio: runtime.cpuMs / cpuLimit,
    });
    figure({ name: `${name}.calls`, value: runtime.calls, unit: 'calls/delivery', limit: after.calls });
    figure({ name: `${name}.rss`, value: runtime.rssMb, unit: 'MB' });
  });

const measureCeiling = async (stage: Stage, count: number) =>
  measureWorker(stage, count, await spawnCeiling(stage, stage.sessions.length));

async function measureRuntime(stage: Stage, count: number) {
  const runtime = await spawnRuntime(stage, settingsFor(stage.sessions.length));
  await untilConnected(runtime);
  return measureWorker(stage, count, runtime);
}

async function measureWorker(stage: Stage, count: number, worker: Awaited<ReturnType<typeof spawnRuntime>>) {
  try {
    await drain(stage, worker, stage.sessions.length);
    const before = usageOf(worker.pid).cpuMs;
    const seconds = await drain(stage, worker, count);
    const { cpuMs, rssMb } = usageOf(worker.pid);
    const calls = await callsPerDelivery(stage.backend, count);
    return { rate: count / seconds, cpuMs: (cpuMs - before) / count, calls, rssMb };
  } finally {
    await worker.close();
  }
}

/** All sessions may run at once, and a look takes as many rows as the backend gives. */
const settingsFor = (sessions: number): Record<string, string> => ({
  DELIVERY_MAX_CONCURRENT_SESSIONS: String(sessions),
  DELIVERY_LIST_LIMIT: '500',
});
