import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.ts';
import { median } from '../numbers.ts';
import { get, untilAnswer, untilConnected } from '../runtime.ts';
import { onStage, type Stage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime } from '../worker.ts';

const RUNS = 20;
const SETTLE_MS = 10_000;

export const start: Benchmark = {
  name: 'start',
  what: 'from the start of the process to its first /health answer and to ready (median of 20), and its memory when idle',
  run: ({ figure }) =>
    onStage({ sessions: 1 }, async (stage) => {
      const bare: number[] = [];
      const first: number[] = [];
      const ready: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        bare.push(await startBareNode());
        const times = await startOnce(stage);
        first.push(times.first);
        ready.push(times.ready);
      }
      const limit = median(bare);
      const value = median(first);
      figure({ name: 'start.bare_node', value: limit, unit: 'ms' });
      figure({ name: 'start.first_health', value, unit: 'ms', limit, goal: { most: 150 } });
      figure({ name: 'start.ready', value: median(ready), unit: 'ms', limit });
      figure({ name: 'start.idle_rss', value: await idleRss(stage), unit: 'MB', goal: { most: 90 } });
    }),
};

async function startOnce(stage: Stage): Promise<{ first: number; ready: number }> {
  const runtime = await spawnRuntime(stage);
  try {
    await untilAnswer(runtime, '/health', () => true, 1);
    const first = performance.now() - runtime.startedAt;
    await untilAnswer(runtime, '/readyz', ({ status }) => status === 200, 1);
    return { first, ready: performance.now() - runtime.startedAt };
  } finally {
    await runtime.close();
  }
}

/** The start of bare Node with an HTTP server, up to its first output. */
async function startBareNode(): Promise<number> {
  const began = performance.now();
  const script = "require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('up'))";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const ms = performance.now() - began;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return ms;
}

async function idleRss(stage: Stage): Promise<number> {
  const runtime = await spawnRuntime(stage);
  try {
    await untilConnected(runtime);
    await delay(SETTLE_MS);
    await get(runtime, '/health');
    return usageOf(runtime.pid).rssMb;
  } finally {
    await runtime.close();
  }
}
