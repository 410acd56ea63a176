import { setTimeout as delay } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import { onRuntimeStarted, type Health, type RuntimeProcess } from '../kits/runtime.ts';
import type { FaultCase, Trouble } from './case.ts';
import { inSeconds } from './wait.ts';

const LOOK_EVERY_MS = 200;
/** Within this time of its beginning the trouble must be named; within this time of its end all must be well. */
const NAMED_WITHIN_MS = 20_000;
const WELL_WITHIN_MS = 30_000;
/** The runtime may know of the end so much earlier than the case. */
const KNOWN_EARLIER_MS = 1_000;
/** One sign of trouble may follow another after this time. */
const BLINK_MS = 1_000;
/** An alarm of this length stays. */
const STAYS_MS = 20_000;

interface Look {
  at: number;
  health: Health;
}

interface Watch {
  looks: Look[];
  /** Whether the last runtime that the case has started is gone. */
  isGone: () => boolean;
  beganAt: number | null;
  endedAt: number | null;
}

/**
 * Plays the case, and looks at /health all the while: it must name the trouble in time, must not be healthy before the
 * end, and must be so soon after it. Where there is nothing to name it must raise no alarm that stays.
 * @returns the case's figure, and how long it took to name the trouble and to be healthy again
 */
export async function play(faultCase: FaultCase, test: TestContext): Promise<string> {
  const watch: Watch = { looks: [], isGone: () => true, beganAt: null, endedAt: null };
  const trouble: Trouble = {
    begins: () => (watch.beganAt ??= performance.now()),
    ends: () => (watch.endedAt = performance.now()),
  };
  const stop = onRuntimeStarted((runtime) => void follow(runtime, watch));
  const figure = await faultCase.run(test, trouble).finally(stop);
  const seen = 'names' in faultCase ? await judge(faultCase.names, watch) : await judgeCalm(watch);
  expectNoFalseComfort(watch.looks);
  return `${figure}; ${seen}`;
}

async function judge(names: RegExp, watch: Watch): Promise<string> {
  const { looks, beganAt } = watch;
  if (beganAt === null) throw new Error('The case does not say when its trouble begins.');
  const first = looks.find(({ at, health }) => at >= beganAt && isNamed(health, names));
  if (first === undefined) {
    throw new Error(`/health never said ${String(names)}; it said ${said(looks)}.`);
  }
  const took = first.at - beganAt;
  expect(took, 'milliseconds until /health names the trouble').toBeLessThan(NAMED_WITHIN_MS);
  const named = `named after ${inSeconds(took)}`;
  if (watch.endedAt === null && watch.isGone()) return named;
  if (watch.endedAt === null) throw new Error('The case does not say when its trouble ends.');
  const { endedAt } = watch;
  const between = looks.filter(({ at }) => at > first.at && at < endedAt - KNOWN_EARLIER_MS);
  const comfort = longestComfort(between);
  expect(comfort.ms, `healthy while the trouble lasts ("${comfort.reason}"), in milliseconds`).toBeLessThan(
    BLINK_MS,
  );
  return `${named}, healthy again ${inSeconds(await wellAgain(watch, endedAt))} after its end`;
}

/** The longest time in which all looks were healthy, and what the first of them said. */
function longestComfort(looks: readonly Look[]): { ms: number; reason: string } {
  let [longest, since] = [{ ms: 0, reason: '' }, null as Look | null];
  for (const look of looks) {
    since = look.health.status === 'healthy' ? (since ?? look) : null;
    if (since === null) continue;
    const ms = look.at - since.at + LOOK_EVERY_MS;
    if (ms > longest.ms) longest = { ms, reason: since.health.reason };
  }
  return longest;
}

/** @returns milliseconds from the end of the trouble to the first look that is healthy */
async function wellAgain({ looks, isGone }: Watch, endedAt: number): Promise<number> {
  for (;;) {
    const well = looks.find(({ at, health }) => at >= endedAt && health.status === 'healthy');
    const took = (well?.at ?? performance.now()) - endedAt;
    if (well !== undefined && took < WELL_WITHIN_MS) return took;
    if (took >= WELL_WITHIN_MS || isGone()) {
      const { problems = [] } = looks.at(-1)?.health ?? {};
      throw new Error(`/health is not healthy within 30 s of the end; it says ${JSON.stringify(problems)}.`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function judgeCalm(watch: Watch): Promise<string> {
  const { looks, isGone } = watch;
  const since = new Map<string, number>();
  for (const { at, health } of looks) {
    const sources = new Set(health.problems.map(({ source }) => source));
    for (const source of since.keys()) if (!sources.has(source)) since.delete(source);
    for (const source of sources) since.set(source, since.get(source) ?? at);
    const stayed = [...since].filter(([, from]) => at - from >= STAYS_MS).map(([source]) => source);
    expect(stayed, `alarms that stay, without a trouble: ${said([{ at, health }])}`).toEqual([]);
  }
  if (!isGone()) await wellAgain(watch, watch.endedAt ?? looks.at(0)?.at ?? 0);
  return 'no alarm that stays';
}

/** "All is well" must not be said once something was given up, nor while rows wait and nothing happens. */
function expectNoFalseComfort(looks: readonly Look[]): void {
  let idleSince: number | null = null;
  for (const { at, health } of looks) {
    const { delivery, journal, reason, status } = health;
    if (reason.includes('All is well')) {
      expect([delivery.parked, journal.deadLetters], 'lost while all is well').toEqual([0, 0]);
    }
    const isStuck = status === 'healthy' && delivery.waiting > 0 && delivery.inFlight === 0;
    idleSince = isStuck ? (idleSince ?? at) : null;
    expect(
      at - (idleSince ?? at),
      'milliseconds in which rows wait, no run is open and /health is healthy',
    ).toBeLessThan(NAMED_WITHIN_MS);
  }
}

const isNamed = ({ problems, status }: Health, names: RegExp): boolean =>
  status !== 'healthy' && problems.some(({ problem }) => names.test(problem));

const said = (looks: readonly Look[]): string =>
  [...new Set(looks.flatMap(({ health }) => health.problems.map(({ problem }) => problem)))].join(' | ') ||
  'nothing';

async function follow(runtime: RuntimeProcess, watch: Watch): Promise<void> {
  const process = { isGone: false };
  watch.isGone = () => process.isGone;
  const gone = runtime.exited.then(() => {
    process.isGone = true;
  });
  while (!process.isGone) {
    await runtime.health().then(
      (health) => watch.looks.push({ at: performance.now(), health }),
      // It is about to leave, or is stopped by the case.
      () => undefined,
    );
    await Promise.race([gone, delay(LOOK_EVERY_MS)]);
  }
}
