import type { Benchmark } from '../benchmark.ts';
import { callsPerDelivery, drain, onStage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnCeiling } from '../worker.ts';

const SESSIONS = 1_000;
const DELIVERIES = 5_000;

/** The ceiling alone. Every other benchmark measures it again beside the runtime. */
export const ceiling: Benchmark = {
  name: 'ceiling',
  what: "what the runtime's clients can do at most here: the same calls and the same POST, without machines",
  run: ({ figure }) =>
    onStage({ sessions: SESSIONS }, async (stage) => {
      const worker = await spawnCeiling(stage, SESSIONS);
      try {
        await drain(stage, worker, SESSIONS);
        const before = usageOf(worker.pid);
        const seconds = await drain(stage, worker, DELIVERIES);
        const { cpuMs, rssMb } = usageOf(worker.pid);
        figure({ name: 'ceiling.rate', value: DELIVERIES / seconds, unit: 'deliveries/s' });
        figure({ name: 'ceiling.cpu', value: (cpuMs - before.cpuMs) / DELIVERIES, unit: 'ms/delivery' });
        const calls = await callsPerDelivery(stage.backend, DELIVERIES);
        figure({ name: 'ceiling.calls', value: calls, unit: 'calls/delivery' });
        figure({ name: 'ceiling.rss', value: rssMb, unit: 'MB' });
      } finally {
        await worker.close();
      }
    }),
};
