import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.ts';
import type { Figure } from '../figure.ts';
import { healthOf, untilConnected } from '../runtime.ts';
import { drain, onStage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime, type Worker } from '../worker.ts';

const SESSIONS = 100;
const TENTHS = 10;
const WARM_UP = 4_000;
const RESTING_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 200;

export const growth: Benchmark = {
  name: 'growth',
  what: 'many deliveries through one process (10,000; 100,000 with --full): is the last tenth like the first?',
  run: ({ figure, full, progress }) =>
    // Fresh tasks have short threads. With old ones the backend and the prompts would grow.
    onStage({ sessions: SESSIONS }, async (stage) => {
      const count = (full ? 100_000 : 10_000) / TENTHS;
      const runtime = await spawnRuntime(stage, {
        DELIVERY_MAX_CONCURRENT_SESSIONS: String(SESSIONS),
        DELIVERY_LIST_LIMIT: '500',
      });
      try {
        await untilConnected(runtime);
        // For the compiler.
        await drain(stage, runtime, WARM_UP);
        const resting = await restingMachines(runtime);
        const tenths: { rate: number; rssMb: number }[] = [];
        for (let tenth = 0; tenth < TENTHS; tenth++) {
          const rate = count / (await drain(stage, runtime, count, 300_000));
          tenths.push({ rate, rssMb: usageOf(runtime.pid).rssMb });
          progress(`${(tenth + 1) * count} deliveries, ${rate.toFixed(0)} per second`);
        }
        const [first, last] = [tenths[0], tenths.at(-1)];
        if (first === undefined || last === undefined) return;
        const rate = { name: 'growth.rate', unit: 'deliveries/s', goal: { least: 0.95 } };
        figure(compared(rate, first.rate, last.rate));
        const rss = { name: 'growth.rss', unit: 'MB', goal: { most: 1.05 } };
        figure(compared(rss, first.rssMb, last.rssMb));
        figure({
          name: 'growth.machines',
          value: await restingMachines(runtime),
          unit: 'alive',
          goal: { most: resting },
        });
        figure({ name: 'growth.journal', value: journalKb(runtime), unit: 'KB' });
      } finally {
        await runtime.close();
      }
    }),
};

/** Compares the last tenth with the first. */
const compared = (what: Pick<Figure, 'name' | 'unit' | 'goal'>, first: number, last: number): Figure => ({
  ...what,
  value: last,
  limit: first,
  ratio: last / first,
});

/** A session's actor ends with its notification; one that never ends is what this is about. */
async function restingMachines(runtime: Worker): Promise<number> {
  const giveUpAt = performance.now() + RESTING_LIMIT_MS;
  for (;;) {
    const { machines, sessions } = await healthOf(runtime);
    if (sessions.total === 0 || performance.now() > giveUpAt) return machines.length + sessions.total;
    await delay(LOOK_EVERY_MS);
  }
}

const journalKb = ({ stateDir }: Worker): number =>
  ['journal.sqlite', 'journal.sqlite-wal'].reduce(
    (sum, file) => sum + statSync(join(stateDir, file)).size,
    0,
  ) / 1_024;
