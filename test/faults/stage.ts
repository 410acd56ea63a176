/** What the fault cases have in common: who is asked what, and what must be true in the end. */
import { expect } from 'vitest';
import type { EchoGateway, RunsReport } from '../../src/local/echo-gateway/spawn.ts';
import { startRuntime, type RuntimeOptions, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, type MissionControl, type Row } from '../kits/stack.ts';
import { within } from './wait.ts';

export type Run = RunsReport['runs'][number];

/** The waits of a runtime whose settings nobody has touched. */
export const DEFAULT_WAITS = {
  DELIVERY_INTERVAL: '15s',
  DELIVERY_BACKOFF_BASE_MS: '5s',
  DELIVERY_BACKOFF_MAX_MS: '1m',
} as const;

export interface Stage {
  backend: MissionControl;
  gateway: EchoGateway;
  runtime: RuntimeProcess;
}

/**
 * A backend with that many sessions of the engineer, each with one assignment to deliver; a gateway whose runs take
 * that long; and the runtime between them.
 */
export async function setUp(
  options: { sessions?: number; runMs?: number; env?: Record<string, string> } = {},
): Promise<Stage> {
  const [backend, gateway] = await Promise.all([
    missionControl({ extraTasks: options.sessions ?? 0 }),
    echoGateway(),
  ]);
  if (options.runMs !== undefined) await gateway.setFault('ok', options.runMs);
  const runtime = await startRuntime({ backend, gateway, ...(options.env && { env: options.env }) });
  return { backend, gateway, runtime };
}

/** Another process on the same STATE_DIR, as a restart policy would start it. */
export const startAgain = (
  { backend, gateway, runtime }: Stage,
  options: RuntimeOptions = {},
): Promise<RuntimeProcess> =>
  startRuntime({ backend, gateway, ...options, env: { STATE_DIR: runtime.stateDir, ...options.env } });

/** @returns the task's id */
export async function ask({ backend }: Pick<Stage, 'backend'>, text: string, task = 0): Promise<string> {
  const taskId = backend.taskIds[task];
  if (taskId === undefined) throw new Error(`The demo account has no task number ${task}.`);
  await backend.postMessage(taskId, `@engineer ${text}`);
  return taskId;
}

const isDone = ({ deliveredAt }: Row): boolean => deliveredAt !== undefined;

/** @returns how long it took, in milliseconds */
export const allDelivered = ({ backend }: Pick<Stage, 'backend'>, seconds = 30): Promise<number> =>
  within(seconds, 'All rows are delivered', async () => (await backend.agentRows()).every(isDone));

export const undelivered = async ({ backend }: Pick<Stage, 'backend'>): Promise<Row[]> =>
  (await backend.agentRows()).filter((row) => !isDone(row));

/** What agents have said in a task's thread. */
export async function replies({ backend }: Pick<Stage, 'backend'>, taskId: string): Promise<string[]> {
  const thread = await backend.listThread(taskId);
  return thread.filter(({ authorType }) => authorType === 'agent').map(({ content }) => content);
}

/** Settles when a run of the engineer is under way. */
export const runUnderWay = ({ gateway }: Pick<Stage, 'gateway'>, count = 1): Promise<number> =>
  within(20, 'A run is under way', async () => (await openRuns({ gateway })).length >= count);

export const openRuns = async ({ gateway }: Pick<Stage, 'gateway'>): Promise<Run[]> =>
  (await gateway.runs()).runs.filter(({ endedAt }) => endedAt === null);

/** How often each notification was run. */
export async function runsPerRow({ gateway }: Pick<Stage, 'gateway'>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { notificationId } of (await gateway.runs()).runs) {
    if (notificationId !== null) counts.set(notificationId, (counts.get(notificationId) ?? 0) + 1);
  }
  return counts;
}

/** The most runs of one row. Thread updates are left out: they are run again when a newer message moves them. */
export async function mostRuns({ backend, gateway }: Pick<Stage, 'backend' | 'gateway'>): Promise<number> {
  const runs = await runsPerRow({ gateway });
  const rows = (await backend.agentRows()).filter(({ type }) => type !== 'thread_update');
  return Math.max(0, ...rows.map(({ _id }) => runs.get(_id) ?? 0));
}

/** The end of every case: no reply twice, no session with two requests at once, nobody given up. */
export async function expectGoodOrder({ backend, gateway, runtime }: Stage): Promise<void> {
  for (const { _id } of await backend.listTasks()) {
    const said = await replies({ backend }, _id);
    expect(said, 'each reply once').toEqual([...new Set(said)]);
  }
  const { maxOpenPerSession } = await gateway.runs();
  expect(
    Math.max(0, ...Object.values(maxOpenPerSession)),
    'requests of one session at once',
  ).toBeLessThanOrEqual(1);
  expect((await runtime.health()).delivery.parked, 'parked rows').toBe(0);
}
