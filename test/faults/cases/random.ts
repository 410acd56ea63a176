/** Trouble whose victim, length and form are drawn from a seed: two of each kind. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { createRandom, type Random } from '../../kits/random.ts';
import type { Fate, PickyRun } from '../../kits/picky-gateway.ts';
import type { FaultCase, Trouble } from '../case.ts';
import { allSay, answers, assign, OTHERS, runsOf, said, setScene, type Scene } from '../scene.ts';
import { inSeconds } from '../wait.ts';

const AGENTS = ['engineer', ...OTHERS];
const MESSAGES = 18;
/** No message gets more paid runs, whatever went wrong. */
const MOST_RUNS = 10;

/** What the dice say. */
interface Drawn {
  /** In the sentence of the figure. */
  what: string;
  names: RegExp;
  fate?: (run: PickyRun) => Fate | null;
  /** A function of Convex that fails. */
  fails?: string;
  /** Nobody mends the trouble: it ends when this message is given up. */
  message?: number;
}

const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
const between = (random: Random, low: number, high: number): number =>
  Math.round(low + random() * (high - low));

const KINDS: Readonly<Record<string, (random: Random) => Drawn>> = {
  agent: (random) => {
    const victims = [pick(random, AGENTS), pick(random, AGENTS)];
    const one = victims.join('|');
    const fate = pick<Fate>(random, [
      { kind: 'fails' },
      { kind: 'closes', afterMs: between(random, 0, 800), begins: true },
    ]);
    return {
      what: `every run of ${[...new Set(victims)].join(' and ')} ${fate.kind}`,
      names: new RegExp(`runs of (?:${one}) fail|(?:${one}) · .* failed`),
      fate: ({ agent }) => (victims.includes(agent) ? fate : null),
    };
  },
  message: (random) => {
    const message = between(random, 0, MESSAGES - 1);
    const victim = `Message ${message};`;
    const kind = pick(random, ['closes', 'killsGateway'] as const);
    const fate: Fate = {
      kind,
      afterMs: between(random, 0, 800),
      begins: random() < 0.5,
      downMs: between(random, 500, 4_000),
    };
    return {
      what: `${victim} ${kind}`,
      names: new RegExp(kind === 'closes' ? victim : `gateway|${victim}`, 'i'),
      fate: ({ prompt }) => (prompt.includes(victim) ? fate : null),
      message,
    };
  },
  proxy: (random) => {
    const status = pick(random, [502, 504, 524]);
    const afterMs = between(random, 200, 3_000);
    const victims = Array.from({ length: MESSAGES }, (_, n) => `Message ${n};`).filter(() => random() < 0.4);
    return {
      what: `${status} after ${afterMs} ms for ${victims.length} messages`,
      names: new RegExp(String(status)),
      fate: ({ prompt }) =>
        victims.some((title) => prompt.includes(title)) ? { kind: 'proxyAnswers', status, afterMs } : null,
    };
  },
  function: (random) => {
    const name = pick(random, [
      'createMessageFromAgent',
      'getNotificationForDelivery',
      'markNotificationDelivered',
    ]);
    return { what: `${name} fails`, names: new RegExp(name), fails: name };
  },
};

async function play(kind: (random: Random) => Drawn, seed: number, trouble: Trouble): Promise<string> {
  const random = createRandom(seed);
  const { what, fate, fails, message } = kind(random);
  const lastMs = between(random, 15_000, 40_000);
  const runMs = between(random, 50, 1_500);
  const well = (): Fate => answers('Done.', runMs);
  const scene = await setScene((run) => {
    const bad = fate?.(run) ?? null;
    if (bad !== null) trouble.begins();
    return bad ?? well();
  });
  if (fails !== undefined) await scene.backend.setFault({ mode: 'error', path: `service/actions:${fails}` });
  const tasks: string[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    tasks.push(await assign(scene, pick(random, AGENTS), `Message ${n};`));
    // Three notifications tell that it is the function's trouble.
    if (fails !== undefined && n === 2) trouble.begins();
    await delay(random() * (lastMs / MESSAGES));
  }
  if (message === undefined) scene.gateway.decide(well);
  else await allSay(scene, tasks.slice(message, message + 1), 120, 'The message is given up');
  if (fails !== undefined) await scene.backend.setFault({ mode: 'ok' });
  trouble.ends();
  const took = await allSay(scene, tasks, 120, 'Every message has its reply or its note');
  const most = await expectOnce(scene, tasks);
  await scene.runtime.waitForHealth('that all works', ({ status }) => status === 'healthy');
  return `${what}: at most ${most} runs of a message, all answered or noted ${inSeconds(took)} after`;
}

/** @returns the most runs of a message */
async function expectOnce(scene: Scene, tasks: readonly string[]): Promise<number> {
  const rows = await scene.backend.agentRows();
  for (const taskId of tasks) {
    const ofTask = rows.filter((row) => row.taskId === taskId);
    expect((await said(scene, taskId)).length, 'one message at most for each row').toBeLessThanOrEqual(
      ofTask.length,
    );
  }
  const most = Math.max(...tasks.map((_, n) => runsOf(scene, `Message ${n};`).length));
  expect(most).toBeLessThanOrEqual(MOST_RUNS);
  return most;
}

export const randomCases: readonly FaultCase[] = Object.entries(KINDS).flatMap(([name, kind]) =>
  [1, 2].map((seed): FaultCase => ({
    name: `random-${name}-${seed}`,
    what: `trouble of the kind "${name}", drawn from the seed ${seed}: every message has one reply or one note, and at most ${MOST_RUNS} runs`,
    names: kind(createRandom(seed)).names,
    limit: 240,
    run: (_test, trouble) => play(kind, seed, trouble),
  })),
);
