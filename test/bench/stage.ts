import { setTimeout as delay } from 'node:timers/promises';
import { startEchoGateway } from '../../src/local/echo-gateway/spawn.ts';
import { startContractBackend, type ContractBackend } from '../kits/contract-backend/spawn.ts';
import type { Sides, Worker } from './worker.ts';

const SLUGS = Array.from({ length: 10 }, (_, n) => `worker-${n + 1}`);
/** The agents' heartbeats are further apart than any benchmark is long. */
const NO_BEATS_MINUTES = 100_000;

export interface Stage extends Sides {
  /** Tasks; each has one agent that is spoken to, so each is one session. */
  sessions: readonly Session[];
}

interface Session {
  taskId: string;
  slug: string;
}

export interface StageOptions {
  sessions: number;
  /** How long the gateway takes for a run. */
  runMs?: number;
  /** Agents beside those, with heartbeats so often. */
  beating?: number;
  beatMinutes?: number;
  /** The backend also offers what goes beyond the contract (docs/contract-extensions.md). */
  extended?: boolean;
}

/** Sets up both sides of a runtime, and ends them when the work is done or has failed. */
export async function onStage<T>(options: StageOptions, work: (stage: Stage) => Promise<T>): Promise<T> {
  const beating = Array.from({ length: options.beating ?? 0 }, (_, n) => `beating-${n + 1}`);
  const [backend, gateway] = await Promise.all([
    startContractBackend({ extended: options.extended ?? false }),
    startEchoGateway({ agents: [...SLUGS, ...beating], faults: true }),
  ]);
  try {
    await gateway.setFault('ok', options.runMs ?? 0);
    await backend.addAgents([
      ...SLUGS.map((slug) => ({ slug, heartbeatInterval: NO_BEATS_MINUTES })),
      ...beating.map((slug) => ({ slug, heartbeatInterval: options.beatMinutes ?? NO_BEATS_MINUTES })),
    ]);
    const taskIds = await backend.createTasks({ count: options.sessions });
    const sessions = taskIds.map((taskId, n) => ({ taskId, slug: SLUGS[n % SLUGS.length] ?? '' }));
    return await work({ backend, gateway, sessions });
  } finally {
    await Promise.all([backend.close(), gateway.close()]);
  }
}

/** Writes so many messages, in turn to each session: each is one notification for its agent. */
export async function post({ backend, sessions }: Stage, count: number): Promise<void> {
  for (let written = 0; written < count; written += sessions.length) {
    const round = sessions.slice(0, count - written);
    for (const slug of SLUGS) {
      const taskIds = round.filter((session) => session.slug === slug).map(({ taskId }) => taskId);
      if (taskIds.length === 0) continue;
      await backend.post({
        taskIds,
        content: `@${slug} please look at this, number {n}`,
        count: taskIds.length,
        from: written,
      });
    }
  }
}

const LOOK_EVERY_MS = 10;

/**
 * Lets a worker find a backlog and work it off.
 * @param limitMs when to give up
 * @returns seconds from the first answer with rows to the last mark, on the backend's clock
 */
export async function drain(stage: Stage, worker: Worker, count: number, limitMs = 120_000): Promise<number> {
  const { backend } = stage;
  worker.pause();
  await post(stage, count);
  await backend.forgetCalls();
  worker.resume();
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    const { undelivered, firstListedAt, lastMarkedAt } = await backend.queue();
    if (undelivered === 0 && firstListedAt !== null && lastMarkedAt !== null) {
      return (lastMarkedAt - firstListedAt) / 1_000;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(
        `${undelivered} of ${count} notifications are left. The last words: ${worker.lastWords()}`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** The calls of the contract since `drain` began, for each delivery. */
export async function callsPerDelivery(backend: ContractBackend, deliveries: number): Promise<number> {
  const calls = Object.values(await backend.calls()).reduce((sum, { calls }) => sum + calls, 0);
  return calls / deliveries;
}
