import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { onRuntimeStarted, type Health, type RuntimeProcess } from '../kits/runtime.ts';
import type { FaultCase } from './case.ts';
import { inSeconds, within } from './wait.ts';

const LOOK_EVERY_MS = 200;
/** Seconds after the end of the trouble in which /health must be healthy again. */
const WELL_AGAIN_S = 30;

/**
 * Plays the case, and looks at /health all the while: it must name the trouble (`names`), must never say that all is well
 * meanwhile, and must be healthy again soon after the end.
 * @returns the case's figure, and how long the trouble was named
 */
export async function play(
  { names, run }: FaultCase,
  test: Parameters<FaultCase['run']>[0],
): Promise<string> {
  if (names === undefined) return run(test);
  const looks: Health[] = [];
  const runtimes: RuntimeProcess[] = [];
  const end = onRuntimeStarted((runtime) => {
    runtimes.push(runtime);
    void lookAt(runtime, looks);
  });
  const figure = await run(test).finally(end);
  const named = looks.filter(({ problems }) => problems.some(({ problem }) => names.test(problem)));
  expect(named.length, `/health never said ${String(names)}; it said ${said(looks)}`).toBeGreaterThan(0);
  expect(
    named.filter(({ status, reason }) => status === 'healthy' || reason.includes('All is well')),
  ).toEqual([]);
  const healthy = async (): Promise<boolean> => (await runtimes.at(-1)?.health())?.status === 'healthy';
  const took = await within(WELL_AGAIN_S, 'It is healthy again', healthy);
  return `${figure}; named on /health, healthy again within ${inSeconds(took)}`;
}

const said = (looks: readonly Health[]): string =>
  [...new Set(looks.flatMap(({ problems }) => problems.map(({ problem }) => problem)))].join(' | ') ||
  'nothing';

async function lookAt(runtime: RuntimeProcess, looks: Health[]): Promise<void> {
  const gone = runtime.exited.then(() => 'gone' as const);
  for (;;) {
    await runtime.health().then(
      (health) => looks.push(health),
      // It is about to leave, or is stopped by the case.
      () => undefined,
    );
    if ((await Promise.race([gone, delay(LOOK_EVERY_MS)])) === 'gone') return;
  }
}
