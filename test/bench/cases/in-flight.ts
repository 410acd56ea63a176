import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.ts';
import { quantile } from '../numbers.ts';
import { get, healthOf, untilConnected } from '../runtime.ts';
import { onStage, post } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime } from '../worker.ts';

/** The contract's list shows the oldest 500 rows, so one process cannot have more of them in hand. */
const RUNS = 500;
const OPENING_LIMIT_MS = 60_000;
const ASK_EVERY_MS = 50;

export const inFlight: Benchmark = {
  name: 'in-flight',
  what: '500 runs open, the most that the contract lets one process have: memory, CPU, and /health meanwhile',
  run: ({ figure, full }) =>
    onStage({ sessions: RUNS, runMs: 600_000 }, async (stage) => {
      const runtime = await spawnRuntime(stage, {
        DELIVERY_MAX_CONCURRENT_SESSIONS: '1000',
        DELIVERY_LIST_LIMIT: '500',
      });
      try {
        await untilConnected(runtime);
        await post(stage, RUNS);
        const giveUpAt = performance.now() + OPENING_LIMIT_MS;
        for (let open = 0; open < RUNS;) {
          await delay(ASK_EVERY_MS);
          open = (await stage.gateway.runs()).runs.length;
          if (performance.now() > giveUpAt) throw new Error(`only ${open} runs are open`);
        }
        const before = usageOf(runtime.pid);
        const began = performance.now();
        const seconds = full ? 60 : 20;
        const waits: number[] = [];
        let size = 0;
        while (performance.now() - began < seconds * 1_000) {
          const { ms, body } = await get(runtime, '/health');
          waits.push(ms);
          size = Math.max(size, body.length);
          await delay(ASK_EVERY_MS);
        }
        const { cpuMs, rssMb } = usageOf(runtime.pid);
        const elapsedMs = performance.now() - began;
        const name = `in-flight.${RUNS}`;
        const open = (await healthOf(runtime)).delivery.inFlight;
        figure({ name: `${name}.open`, value: open, unit: 'runs' });
        figure({ name: `${name}.rss`, value: rssMb, unit: 'MB' });
        figure({
          name: `${name}.cpu`,
          value: ((cpuMs - before.cpuMs) / elapsedMs) * 100,
          unit: '% of a core',
        });
        figure({ name: `${name}.health_p99`, value: quantile(waits, 0.99), unit: 'ms', goal: { most: 20 } });
        figure({ name: `${name}.health_size`, value: size / 1_024, unit: 'KB' });
      } finally {
        await runtime.close();
      }
    }),
};
