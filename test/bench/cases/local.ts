import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConvexClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { startEchoGateway } from '../../../src/local/echo-gateway/spawn.ts';
import { createDemoClient } from '../../../src/local/client.ts';
import { databaseIn } from '../../../src/local/mission-control/data-dir.ts';
import { createEngine, type Engine } from '../../../src/local/mission-control/engine/engine.ts';
import { loadModules } from '../../../src/local/mission-control/modules.ts';
import { startBackend, type Backend } from '../../../src/local/mission-control/spawn.ts';
import type { Benchmark, Report } from '../benchmark.ts';
import { settingsFor } from '../compare.ts';
import { quantile } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { drain, onStage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime } from '../worker.ts';

const MESSAGES = 100_000;
const CALLS = 300;
/** Calls that are not counted: code is compiled as it runs for the first time. */
const WARM_UP = 200;
const NOTIFICATIONS = 10_000;
const SESSIONS = 1_000;
/** Documents of one transaction. */
const BATCH = 2_000;

export const local: Benchmark = {
  name: 'local',
  what: 'the local Mission Control: with 100,000 messages, and 10,000 notifications against the plain stand-in',
  async run(report) {
    await inDirectory((dir) => withManyMessages(report, dir));
    await inDirectory((dir) => endToEnd(report, dir));
  },
};

async function inDirectory(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-local-'));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function withManyMessages({ figure, progress }: Report, dataDir: string): Promise<void> {
  const empty = await startBackend({ dataDir });
  const before = quantile(await timesOf(empty, CALLS), 0.95);
  await empty.close();
  progress(`writing ${MESSAGES} messages`);
  await fill(dataDir, (engine) => writeMessages(engine, empty));
  const began = performance.now();
  const backend = await startBackend({ dataDir });
  figure({
    name: 'local.100k.start',
    value: (performance.now() - began) / 1_000,
    unit: 's',
    goal: { most: 1 },
  });
  try {
    const after = quantile(await timesOf(backend, CALLS), 0.95);
    figure({ name: 'local.100k.mutation.p95', value: after, unit: 'ms', goal: { most: 5 } });
    figure({
      name: 'local.100k.mutation.growth',
      value: after,
      limit: before,
      ratio: after / before,
      unit: 'ms',
    });
    const waits = await wakeUpTimes(backend, CALLS);
    figure({ name: 'local.100k.wake_up.p95', value: quantile(waits, 0.95), unit: 'ms', goal: { most: 20 } });
    figure({ name: 'local.100k.rss', value: usageOf(backend.pid).rssMb, unit: 'MB', goal: { most: 150 } });
  } finally {
    await backend.close();
  }
}

/** How long a person's message takes, in milliseconds: one mutation with all that it sets off, and its way. */
async function timesOf(backend: Backend, calls: number): Promise<number[]> {
  const person = createDemoClient({ ...backend, convexUrl: backend.url });
  const times: number[] = [];
  for (let n = 0; n < WARM_UP + calls; n++) {
    const began = performance.now();
    await person.postMessage(backend.taskIds[n % backend.taskIds.length] ?? '', `@engineer number ${n}`);
    if (n >= WARM_UP) times.push(performance.now() - began);
  }
  return times;
}

/** From the mutation's answer to the subscriber, in milliseconds; what comes before the answer counts as 0. */
async function wakeUpTimes(backend: Backend, calls: number): Promise<number[]> {
  const { accountId, serviceToken, url } = backend;
  const person = createDemoClient({ ...backend, convexUrl: url });
  const client = new ConvexClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  let heard = (): void => undefined;
  const wakeUp = makeFunctionReference<'query'>('service/extensions:wakeUp');
  const first = new Promise<void>((resolve) => (heard = resolve));
  client.onUpdate(wakeUp, { accountId, serviceToken }, () => heard());
  await first;
  const times: number[] = [];
  for (let n = 0; n < calls; n++) {
    const news = new Promise<number>((resolve) => (heard = () => resolve(performance.now())));
    await person.postMessage(backend.taskIds[0] ?? '', `@engineer wake up ${n}`);
    const answered = performance.now();
    times.push(Math.max(0, (await news) - answered));
  }
  await client.close();
  return times;
}

async function fill(dataDir: string, work: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = createEngine({ path: databaseIn(dataDir), modules: await loadModules() });
  try {
    await work(engine);
  } finally {
    engine.close();
  }
}

async function writeMessages(engine: Engine, { accountId, taskIds }: Backend): Promise<void> {
  const message = {
    accountId,
    authorType: 'user',
    authorId: 'demo-user',
    mentions: [],
    createdAt: Date.now(),
  };
  for (let written = 0; written < MESSAGES; written += BATCH) {
    await engine.write((transaction) => {
      for (let n = written; n < written + BATCH; n++) {
        const taskId = taskIds[n % taskIds.length] ?? '';
        transaction.insert('messages', {
          ...message,
          taskId,
          content: `Message ${n} of many, as long as people write.`,
        });
      }
    });
  }
}

/** The runtime works off the same backlog on both, one after the other. */
async function endToEnd({ figure, progress }: Report, dataDir: string): Promise<void> {
  const plain = await onStage({ sessions: SESSIONS }, async (stage) => {
    const runtime = await spawnRuntime(stage, settingsFor(SESSIONS));
    try {
      await untilConnected(runtime);
      return NOTIFICATIONS / (await drain(stage, runtime, NOTIFICATIONS, 300_000));
    } finally {
      await runtime.close();
    }
  });
  progress(`the plain stand-in: ${Math.round(plain)} deliveries/s`);
  const seed = await startBackend({ dataDir });
  const person = createDemoClient({ ...seed, convexUrl: seed.url });
  const engineer = (await person.listAgents()).find(({ slug }) => slug === 'engineer')?._id ?? '';
  await seed.close();
  await fill(dataDir, (engine) => writeBacklog(engine, seed.accountId, engineer));
  const rate = await drainLocal(dataDir);
  figure({
    name: `local.${NOTIFICATIONS}x${SESSIONS}.rate`,
    value: rate,
    limit: plain,
    ratio: rate / plain,
    unit: 'deliveries/s',
  });
}

async function writeBacklog(engine: Engine, accountId: string, agentId: string): Promise<void> {
  const taskIds: string[] = [];
  const now = Date.now();
  await engine.write((transaction) => {
    // Without an orchestrator, as on the stand-in: it would hear of every reply.
    transaction.patch(accountId, { settings: {} });
    for (let n = 0; n < SESSIONS; n++) {
      const task = {
        accountId,
        title: `Task ${n}`,
        status: 'in_progress',
        priority: 3,
        labels: [],
        createdBy: 'demo-user',
      };
      const assigned = { assignedUserIds: [], assignedAgentIds: [agentId], createdAt: now, updatedAt: now };
      taskIds.push(transaction.insert('tasks', { ...task, ...assigned }));
    }
  });
  const author = { accountId, authorType: 'user', authorId: 'demo-user', mentions: [] };
  const row = {
    accountId,
    type: 'mention',
    recipientType: 'agent',
    recipientId: agentId,
    title: 'Mention',
    body: 'You were mentioned',
  };
  for (let written = 0; written < NOTIFICATIONS; written += BATCH) {
    await engine.write((transaction) => {
      for (let n = written; n < written + BATCH; n++) {
        const taskId = taskIds[n % SESSIONS] ?? '';
        const messageId = transaction.insert('messages', {
          ...author,
          taskId,
          content: `@engineer number ${n}`,
          createdAt: now + n,
        });
        transaction.insert('notifications', { ...row, taskId, messageId, createdAt: now + n });
      }
    });
  }
}

/** @returns deliveries per second, from the first row that was read to the last mark */
async function drainLocal(dataDir: string): Promise<number> {
  const [backend, gateway] = await Promise.all([
    startBackend({ dataDir }),
    startEchoGateway({ faults: true }),
  ]);
  try {
    const runtime = await spawnRuntime({ backend, gateway }, settingsFor(SESSIONS));
    try {
      const person = createDemoClient({ ...backend, convexUrl: backend.url });
      const left = async () =>
        (await person.call('service/actions:listUndeliveredNotifications', { limit: 1 })) as unknown[];
      const giveUpAt = performance.now() + 600_000;
      while ((await left()).length > 0) {
        if (performance.now() > giveUpAt)
          throw new Error(`Rows are left. The last words: ${runtime.lastWords()}`);
        await delay(250);
      }
    } finally {
      await runtime.close();
    }
  } finally {
    await Promise.all([backend.close(), gateway.close()]);
  }
  let rate = 0;
  await fill(dataDir, async (engine) => {
    const select =
      "SELECT max(text ->> 'deliveredAt') - min(text ->> 'readAt') AS ms FROM documents WHERE text ->> 'type' = 'mention'";
    const { ms } = engine.store.database.prepare(select).get() as { ms: number };
    rate = (NOTIFICATIONS * 1_000) / ms;
    await Promise.resolve();
  });
  return rate;
}
