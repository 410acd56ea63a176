import { untilConnected } from './runtime.ts';
import { callsPerDelivery, drain, onStage, type Stage } from './stage.ts';
import { usageOf } from './usage.ts';
import { spawnCeiling, spawnRuntime, type Worker } from './worker.ts';

export interface Drained {
  /** Deliveries per second. */
  rate: number;
  /** Of the process, for each delivery. */
  cpuMs: number;
  /** Of the contract, for each delivery. */
  calls: number;
  rssMb: number;
}

/** The runtime between two looks at the ceiling: the machine may be busier at one end than at the other. */
export const compareWithCeiling = ({ count, sessions }: { count: number; sessions: number }) =>
  onStage({ sessions }, async (stage) => {
    const part = Math.max(sessions, Math.round(count / 4));
    const before = await measureWorker(stage, part, await spawnCeiling(stage, sessions));
    const runtime = await measureRuntime(stage, count);
    const after = await measureWorker(stage, part, await spawnCeiling(stage, sessions));
    const ceiling: Drained = {
      rate: (before.rate + after.rate) / 2,
      cpuMs: (before.cpuMs + after.cpuMs) / 2,
      calls: after.calls,
      rssMb: after.rssMb,
    };
    return { runtime, ceiling };
  });

async function measureRuntime(stage: Stage, count: number): Promise<Drained> {
  const runtime = await spawnRuntime(stage, settingsFor(stage.sessions.length));
  await untilConnected(runtime);
  return measureWorker(stage, count, runtime);
}

async function measureWorker(stage: Stage, count: number, worker: Worker): Promise<Drained> {
  try {
    // The first round is for the compiler.
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
export const settingsFor = (sessions: number): Record<string, string> => ({
  DELIVERY_MAX_CONCURRENT_SESSIONS: String(sessions),
  DELIVERY_LIST_LIMIT: '500',
});
