import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark, Report } from '../benchmark.ts';
import { quantile } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { onStage, post, type Stage } from '../stage.ts';
import { spawnRuntime } from '../worker.ts';

interface Mode {
  name: string;
  extended: boolean;
  samples: number;
  /** Milliseconds between two notifications: this long, plus up to as long again at random. */
  pauseMs: number;
  goal?: { most: number };
}

const MODES: readonly Mode[] = [
  { name: 'wake_up', extended: true, samples: 200, pauseMs: 60, goal: { most: 50 } },
  // Polling is quick after activity (500 ms) and slows down from there.
  { name: 'polling_warm', extended: false, samples: 60, pauseMs: 250 },
  { name: 'polling_cold', extended: false, samples: 3, pauseMs: 16_000 },
];

export const pickUp: Benchmark = {
  name: 'pick-up',
  what: "from a notification's creation to the gateway: with wake-up, with polling warm and cold",
  async run(report) {
    for (const mode of MODES) await measure(report, mode);
  },
};

const measure = ({ figure }: Report, { name, extended, samples, pauseMs, goal }: Mode): Promise<void> =>
  onStage({ sessions: samples, extended }, async (stage) => {
    const runtime = await spawnRuntime(stage);
    try {
      await untilConnected(runtime);
      for (const session of stage.sessions) {
        await delay(pauseMs * (1 + Math.random()));
        await post({ ...stage, sessions: [session] }, 1);
      }
      const waits = await waitsOf(stage);
      for (const percent of [50, 95, 99]) {
        figure({
          name: `pick-up.${name}.p${percent}`,
          value: quantile(waits, percent / 100),
          unit: 'ms',
          ...(percent === 95 && goal && { goal }),
        });
      }
    } finally {
      await runtime.close();
    }
  });

const LIMIT_MS = 30_000;

/** On the one clock of the machine, in milliseconds. */
async function waitsOf({ backend, gateway, sessions }: Stage): Promise<number[]> {
  const giveUpAt = performance.now() + LIMIT_MS;
  while ((await backend.countUndelivered()) > 0) {
    if (performance.now() > giveUpAt) throw new Error('Some notifications were never picked up.');
    await delay(50);
  }
  const created = new Map((await backend.dump()).notifications.map((row) => [row._id, row.createdAt]));
  const waits = (await gateway.runs()).runs.flatMap(({ notificationId, startedAt }) => {
    const createdAt = created.get(notificationId ?? '');
    return createdAt === undefined ? [] : [startedAt - createdAt];
  });
  if (waits.length !== sessions.length)
    throw new Error(`${waits.length} runs for ${sessions.length} notifications.`);
  return waits;
}
