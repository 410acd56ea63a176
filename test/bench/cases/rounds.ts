import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark, Report } from '../benchmark.ts';
import { settingsFor } from '../compare.ts';
import { median } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { drain, onStage, type Stage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime, type Worker } from '../worker.ts';

const SESSIONS = 50;
const DELIVERIES = 600;
/** Each with the tools on and off, in turn: a machine that is busy for a while is so for both. */
const PAIRS = 15;

const NOTIFICATIONS = 40;
const ROUNDS = 10;
const LOOK_EVERY_MS = 20;

export const rounds: Benchmark = {
  name: 'rounds',
  what: 'what tools cost a delivery that calls none, and what a round costs beyond the time of the gateway',
  async run(report) {
    await onStage({ sessions: SESSIONS }, (stage) => compareModes(stage, report));
    await onStage({ sessions: 1 }, (stage) => measureRounds(stage, report));
  },
};

/** CPU time of the runtime, which other work on the machine hardly changes. */
async function compareModes(stage: Stage, { figure }: Report): Promise<void> {
  const workers = { on: await workerWith(stage, 'on'), off: await workerWith(stage, 'off') };
  const costs: { on: number[]; off: number[] } = { on: [], off: [] };
  try {
    for (const mode of ['on', 'off'] as const) workers[mode].pause();
    for (let pair = 0; pair < PAIRS; pair++) {
      const order = pair % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const);
      for (const mode of order) costs[mode].push(await costOf(stage, workers[mode]));
    }
  } finally {
    await Promise.all([workers.on.close(), workers.off.close()]);
  }
  const ratios = costs.on.map((on, pair) => on / (costs.off[pair] ?? on));
  figure({ name: 'rounds.no_calls.off', value: Math.min(...costs.off), unit: 'ms CPU/delivery' });
  figure({
    name: 'rounds.no_calls.on',
    value: Math.min(...costs.on),
    unit: 'ms CPU/delivery',
    limit: Math.min(...costs.off),
    ratio: median(ratios),
    goal: { most: 1.03 },
  });
}

async function workerWith(stage: Stage, mode: 'on' | 'off'): Promise<Worker> {
  const worker = await spawnRuntime(stage, { ...settingsFor(SESSIONS), AGENT_TOOLS: mode });
  await untilConnected(worker);
  // The first deliveries are for the compiler.
  await drain(stage, worker, 2 * DELIVERIES);
  worker.pause();
  return worker;
}

async function costOf(stage: Stage, worker: Worker): Promise<number> {
  const before = usageOf(worker.pid).cpuMs;
  await drain(stage, worker, DELIVERIES);
  const cost = (usageOf(worker.pid).cpuMs - before) / DELIVERIES;
  worker.pause();
  return cost;
}

/** One session, one notification after another, each with ten rounds of one read. */
async function measureRounds(stage: Stage, { figure }: Report): Promise<void> {
  const worker = await spawnRuntime(stage, { ...settingsFor(1), AGENT_TOOLS: 'on' });
  try {
    await untilConnected(worker);
    await say(stage, 2);
    const before = usageOf(worker.pid).cpuMs;
    await say(stage, NOTIFICATIONS);
    const cpuMs = usageOf(worker.pid).cpuMs - before;
    const gaps = await gapsBetweenRounds(stage);
    const many = NOTIFICATIONS * ROUNDS;
    figure({ name: 'rounds.between_rounds.p50', value: median(gaps), unit: 'ms' });
    figure({
      name: 'rounds.between_rounds.mean',
      value: gaps.reduce((a, b) => a + b, 0) / gaps.length,
      unit: 'ms',
    });
    figure({
      name: 'rounds.cpu',
      value: cpuMs / many,
      unit: 'ms CPU/round, its share of the delivery included',
    });
  } finally {
    await worker.close();
  }
}

async function say({ backend, sessions: [session] }: Stage, count: number): Promise<void> {
  const script = Array.from({ length: ROUNDS }, () => 'ECHO_TOOL:task_load {}').join('\nECHO_THEN\n');
  const content = `@${session?.slug ?? ''} look\n${script}`;
  await backend.post({ taskIds: [session?.taskId ?? ''], content, count });
  while ((await backend.countUndelivered()) > 0) await delay(LOOK_EVERY_MS);
}

/** From the end of an answer with calls to the next request of the same run, in milliseconds. */
async function gapsBetweenRounds({ gateway }: Stage): Promise<number[]> {
  const { runs } = await gateway.runs();
  const byRow = Map.groupBy(runs, ({ notificationId }) => notificationId);
  return [...byRow].flatMap(([id, own]) =>
    id === null
      ? []
      : own.slice(1).flatMap(({ startedAt }, index) => {
          const { endedAt = null } = own[index] ?? {};
          return endedAt === null ? [] : [startedAt - endedAt];
        }),
  );
}
