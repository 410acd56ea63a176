import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../kits/contract-backend/history.ts';
import { createRandom } from '../kits/random.ts';
import { startContractBackend, type ContractBackend } from '../kits/contract-backend/spawn.ts';
import type { Evidence, Life } from './evidence.ts';
import { createFeed, type Feed } from './feed.ts';
import { startChaosGateway, type ChaosGateway } from './gateway.ts';
import { countLiveRows } from './journal-rows.ts';
import { drawPlan, live, startLife, type LifeOptions } from './life.ts';
import type { ChaosOptions } from './options.ts';

const DIST = join(import.meta.dirname, '../../dist');
const REFILL_EVERY_MS = 50;
const PROGRESS_EVERY = 20;
/** After this many processes in a row that end before their kill, the runtime does not start at all. */
const MOST_SURVIVORS = 30;
/** The last process is stuck when nothing happens for this long while work is left. */
const STUCK_MS = 60_000;

/** Of every call of the backend. */
const BACKEND_FAULTS = [
  { mode: 'lost', rate: 0.004 },
  { mode: '500', rate: 0.003 },
  { mode: 'slow', rate: 0.01, delayMs: 30 },
  // Such a post arrives when its process is dead and the next one is at work.
  { name: 'createMessageFromAgent', mode: 'slow', rate: 0.02, delayMs: 1_500 },
  { name: 'completeDelivery', mode: 'slow', rate: 0.02, delayMs: 1_500 },
] as const;

interface Stage {
  backend: ContractBackend;
  gateway: ChaosGateway;
  feed: Feed;
  lifeOptions: (number: number) => LifeOptions;
}

/**
 * Runs the whole scenario and returns what happened. The checks are in verdict.ts.
 * @param tell gets a line now and then
 */
export async function playChaos(
  options: ChaosOptions,
  tell: (line: string) => void = () => undefined,
): Promise<Evidence> {
  const dir = mkdtempSync(join(tmpdir(), 'chaos-'));
  const backend = await startContractBackend({
    seed: options.seed,
    history: true,
    extended: options.backend === 'extended',
  });
  const feed = await createFeed(backend, createRandom(options.seed + 2), options);
  const gateway = await startChaosGateway({
    random: createRandom(options.seed + 1),
    agents: feed.slugs,
    onRun: feed.interrupt,
  });
  try {
    await feed.refill();
    await backend.setFaults([...BACKEND_FAULTS]);
    // A copy, because the bundle may be built again meanwhile.
    cpSync(DIST, join(dir, 'dist'), { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    const stage: Stage = {
      backend,
      gateway,
      feed,
      lifeOptions: (number) => ({
        number,
        entry: join(dir, 'dist/main.js'),
        stateDir: join(dir, 'state'),
        env: environment(backend, gateway, number),
      }),
    };
    const lives = await playKills(stage, options, tell);
    lives.push(await workOff(stage, lives.length + 1, tell));
    await feed.settle();
    return { runs: gateway.runs, lives, state: await backend.dump() };
  } finally {
    await Promise.all([backend.close(), gateway.close()]);
    rmSync(dir, { recursive: true });
  }
}

const environment = (
  backend: ContractBackend,
  gateway: ChaosGateway,
  life: number,
): Record<string, string> => ({
  CONVEX_URL: backend.url,
  ACCOUNT_ID: backend.accountId,
  SERVICE_TOKEN: backend.serviceToken,
  OPENCLAW_GATEWAY_URL: gateway.url,
  OPENCLAW_GATEWAY_TOKEN: gateway.tokenFor(life),
  HEALTH_PORT: '0',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info',
  DELIVERY_INTERVAL: '1s',
  DELIVERY_BACKOFF_BASE_MS: '20',
  DELIVERY_BACKOFF_MAX_MS: '200',
  OPENCLAW_REQUEST_TIMEOUT_MS: '5s',
});

async function playKills(
  stage: Stage,
  { kills, seed }: ChaosOptions,
  tell: (line: string) => void,
): Promise<Life[]> {
  const random = createRandom(seed);
  const lives: Life[] = [];
  const feeding = keepFeeding(stage.feed);
  let killed = 0;
  while (killed < kills) {
    const number = lives.length + 1;
    const hasRun = (): boolean => stage.gateway.runs.at(-1)?.life === number;
    const life = await live(stage.lifeOptions(number), drawPlan(random), hasRun);
    lives.push(life);
    if (life.killedAt === null) {
      const survived = number - 1 - lives.findLastIndex(({ killedAt }) => killedAt !== null);
      if (survived === MOST_SURVIVORS)
        throw new Error(`No process lives until its kill: ${life.said.join(' ')}`);
      continue;
    }
    killed += 1;
    if (killed % PROGRESS_EVERY === 0) {
      tell(`${killed} of ${kills} kills, ${stage.gateway.runs.length} runs so far`);
    }
  }
  await feeding.stop();
  return lives;
}

function keepFeeding(feed: Feed): { stop(): Promise<void> } {
  const ending = new AbortController();
  const done = (async () => {
    while (!ending.signal.aborted) {
      await feed.refill();
      await sleep(REFILL_EVERY_MS);
    }
  })();
  return {
    stop: () => {
      ending.abort();
      return done;
    },
  };
}

/**
 * The last process runs without faults and is stopped when nothing is left to do: no row waits and its journal is empty.
 * (A delivered row may still owe an answer.)
 */
async function workOff(
  { backend, gateway, feed, lifeOptions }: Stage,
  number: number,
  tell: (line: string) => void,
): Promise<Life> {
  gateway.calm();
  await feed.settle();
  await backend.setFaults([]);
  const options = lifeOptions(number);
  const last = startLife(options);
  let left = { rows: await backend.countUndelivered(), journal: Infinity };
  let changedAt = monotonicMs();
  tell(`the last process works off ${left.rows} notifications`);
  while (left.rows + left.journal > 0 && monotonicMs() - changedAt < STUCK_MS) {
    await sleep(REFILL_EVERY_MS);
    const rows = await backend.countUndelivered();
    const journal = rows > 0 ? Infinity : countLiveRows(options.stateDir);
    if (rows !== left.rows || journal !== left.journal) changedAt = monotonicMs();
    left = { rows, journal };
  }
  last.terminate();
  return last.ended;
}
