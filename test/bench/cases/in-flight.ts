import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark, Report } from '../benchmark.ts';
import { quantile } from '../numbers.ts';
import { get, healthOf, untilConnected } from '../runtime.ts';
import { onStage, post } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime } from '../worker.ts';

/** The contract's list shows the oldest 500 rows, so one process has no more in hand; all others are heartbeats. */
const ROWS = 500;
/** A short interval, so that all beats begin soon. Each takes longer than the benchmark. */
const BEAT_MINUTES = 0.5;
const RUN_MS = 600_000;
const OPENING_LIMIT_MS = 180_000;
const ASK_EVERY_MS = 50;
const METRIC = 'nodejs_eventloop_lag_p99_seconds';

export const inFlight: Benchmark = {
  name: 'in-flight',
  what: '500 runs open, and 1,000, half of them heartbeats: memory, CPU, event loop, and /health meanwhile (--full: for a minute)',
  async run(report) {
    await measure(report, 500, {});
    await measure(report, 1_000, { rss: 256 });
  },
};

const measure = ({ figure, full }: Report, runs: number, goals: { rss?: number }): Promise<void> =>
  onStage(
    { sessions: ROWS, runMs: RUN_MS, beating: runs - ROWS, beatMinutes: BEAT_MINUTES },
    async (stage) => {
      const runtime = await spawnRuntime(stage, {
        DELIVERY_MAX_CONCURRENT_SESSIONS: String(runs),
        DELIVERY_LIST_LIMIT: '500',
      });
      try {
        await untilConnected(runtime);
        await post(stage, ROWS);
        const giveUpAt = performance.now() + OPENING_LIMIT_MS;
        for (let open = 0; open < runs;) {
          await delay(ASK_EVERY_MS * 4);
          open = (await stage.gateway.runs()).runs.length;
          if (performance.now() > giveUpAt) throw new Error(`only ${open} runs are open`);
        }
        const before = usageOf(runtime.pid);
        const began = performance.now();
        const seconds = full ? 60 : 15;
        const waits: number[] = [];
        let size = 0;
        // The first scrape returns the delays of the opening, and starts the measurement again.
        await get(runtime, '/metrics');
        while (performance.now() - began < seconds * 1_000) {
          const { ms, body } = await get(runtime, '/health');
          waits.push(ms);
          size = Math.max(size, body.length);
          await delay(ASK_EVERY_MS);
        }
        const lag = new RegExp(`^${METRIC} (.+)$`, 'm').exec((await get(runtime, '/metrics')).body)?.[1];
        const { cpuMs, rssMb } = usageOf(runtime.pid);
        const elapsedMs = performance.now() - began;
        const name = `in-flight.${runs}`;
        const open = (await healthOf(runtime)).delivery.inFlight;
        figure({ name: `${name}.open`, value: open, unit: 'runs' });
        figure({
          name: `${name}.rss`,
          value: rssMb,
          unit: 'MB',
          ...(goals.rss && { goal: { most: goals.rss } }),
        });
        figure({
          name: `${name}.cpu`,
          value: ((cpuMs - before.cpuMs) / elapsedMs) * 100,
          unit: '% of a core',
        });
        figure({ name: `${name}.event_loop_p99`, value: Number(lag) * 1_000, unit: 'ms' });
        figure({ name: `${name}.health_p99`, value: quantile(waits, 0.99), unit: 'ms', goal: { most: 20 } });
        figure({ name: `${name}.health_size`, value: size / 1_024, unit: 'KB' });
      } finally {
        await runtime.close();
      }
    },
  );
