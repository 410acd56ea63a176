import { setTimeout as delay } from 'node:timers/promises';
import type { ContractBackend } from '../../kits/contract-backend/spawn.ts';
import type { Benchmark, Report } from '../benchmark.ts';
import { untilConnected } from '../runtime.ts';
import { callsPerDelivery, drain, onStage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime } from '../worker.ts';

const DELIVERIES = 500;
const SESSIONS = 50;
/** After it polling has slowed down to DELIVERY_INTERVAL, and each agent has had its first heartbeat (within 2 minutes). */
const CALM_MS = 125_000;
const WATCHED_MS = 60_000;

export const price: Benchmark = {
  name: 'price',
  what: 'Convex calls for each delivery, and calls and CPU of an idle runtime, on the contract alone and where the backend offers more',
  async run(report) {
    await Promise.all([
      measure(report, { name: 'contract', extended: false, goal: { most: 4.1 } }),
      measure(report, { name: 'extended', extended: true, goal: { most: 2 }, idleGoal: { most: 3 } }),
    ]);
  },
};

interface Mode {
  name: string;
  extended: boolean;
  goal: { most: number };
  idleGoal?: { most: number };
}

const measure = ({ figure }: Report, { name, extended, goal, idleGoal }: Mode): Promise<void> =>
  onStage({ sessions: SESSIONS, extended }, async (stage) => {
    const { backend } = stage;
    const runtime = await spawnRuntime(stage);
    try {
      await untilConnected(runtime);
      await drain(stage, runtime, DELIVERIES);
      const lists = await callsOfLists(backend);
      const value = await callsPerDelivery(backend, DELIVERIES);
      figure({ name: `price.${name}.delivery`, value, unit: 'calls/delivery', goal });
      figure({ name: `price.${name}.lists_in_it`, value: lists / DELIVERIES, unit: 'calls/delivery' });
      await delay(CALM_MS);
      await backend.forgetCalls();
      const { cpuMs } = usageOf(runtime.pid);
      await delay(WATCHED_MS);
      const cpuPercent = ((usageOf(runtime.pid).cpuMs - cpuMs) / WATCHED_MS) * 100;
      const minutes = WATCHED_MS / 60_000;
      const perMinute = (await callsPerDelivery(backend, 1)) / minutes;
      figure({
        name: `price.${name}.idle`,
        value: perMinute,
        unit: 'calls/minute',
        ...(idleGoal && { goal: idleGoal }),
      });
      figure({
        name: `price.${name}.idle_cpu`,
        value: cpuPercent,
        unit: '% of a core',
        goal: { most: 0.15 },
      });
    } finally {
      await runtime.close();
    }
  });

async function callsOfLists(backend: ContractBackend): Promise<number> {
  const calls = await backend.calls();
  const lists = ['listUndeliveredNotifications', 'listWithContexts'];
  return lists.reduce((sum, name) => sum + (calls[name]?.calls ?? 0), 0);
}
