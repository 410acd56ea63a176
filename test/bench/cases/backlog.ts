import type { Benchmark, Report } from '../benchmark.ts';
import { compareWithCeiling, settingsFor } from '../compare.ts';
import { median } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { drain, onStage, type Stage } from '../stage.ts';
import { spawnCeiling, spawnRuntime, type Worker } from '../worker.ts';

const WARM_ROUNDS = 3;
const ROUNDS = 5;
const RUN_MS = 50;

export const backlog: Benchmark = {
  name: 'backlog',
  what: 'how fast a backlog drains: with the default 10 slots, and with a slot for each session',
  async run(report) {
    await slots(report, { count: 200, sessions: 20, goal: { most: 1.3 } });
    await slots(report, { count: 1_000, sessions: 200, goal: { most: 1.2 } });
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

/** DELIVERY_MAX_CONCURRENT_SESSIONS as it is when nobody sets it. */
const DEFAULT_SLOTS = 10;

/** With default settings: the slots are never idle where a drain takes as long as its runs in ten slots. */
const slots = ({ figure }: Report, { count, sessions, goal }: Timed): Promise<void> =>
  onStage({ sessions, runMs: RUN_MS }, async (stage) => {
    const limit = ((count / DEFAULT_SLOTS) * RUN_MS) / 1_000;
    const runtime = await spawnRuntime(stage, {});
    await untilConnected(runtime);
    const value = await medianDrain(stage, runtime, count);
    figure({
      name: `backlog.${count}x${sessions}.default_slots`,
      value,
      unit: 's',
      limit,
      ratio: value / limit,
      ...(goal && { goal }),
    });
  });

/** Runs of a fixed length. A session's runs follow one another, which gives the limit. */
const timed = ({ figure }: Report, { count, sessions, goal }: Timed): Promise<void> =>
  onStage({ sessions, runMs: RUN_MS }, async (stage) => {
    const limit = ((count / sessions) * RUN_MS) / 1_000;
    const name = `backlog.${count}x${sessions}`;
    const runtime = await spawnRuntime(stage, settingsFor(sessions));
    await untilConnected(runtime);
    const value = await medianDrain(stage, runtime, count);
    figure({ name, value, unit: 's', limit, ratio: value / limit, ...(goal && { goal }) });
    // The time that the clients alone need, because three processes may share two cores.
    const ceiling = await medianDrain(stage, await spawnCeiling(stage, sessions), count);
    figure({ name: `${name}.ceiling`, value: ceiling, unit: 's', limit, ratio: ceiling / limit });
  });

async function medianDrain(stage: Stage, worker: Worker, count: number): Promise<number> {
  try {
    // The first rounds are for the compiler.
    for (let round = 0; round < WARM_ROUNDS; round++) await drain(stage, worker, count);
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await drain(stage, worker, count));
    return median(rounds);
  } finally {
    await worker.close();
  }
}

async function againstCeiling({ figure }: Report, count: number, sessions: number): Promise<void> {
  const name = `backlog.${count}x${sessions}`;
  const { runtime, ceiling } = await compareWithCeiling({ count, sessions });
  const compare = (what: 'rate' | 'cpuMs' | 'calls') => ({
    value: runtime[what],
    limit: ceiling[what],
    ratio: runtime[what] / ceiling[what],
  });
  figure({ name: `${name}.rate`, ...compare('rate'), unit: 'deliveries/s', goal: { least: 0.69 } });
  figure({ name: `${name}.cpu`, ...compare('cpuMs'), unit: 'ms/delivery' });
  figure({ name: `${name}.calls`, ...compare('calls'), unit: 'calls/delivery' });
  figure({ name: `${name}.rss`, value: runtime.rssMb, unit: 'MB' });
}
