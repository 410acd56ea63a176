import type { Benchmark } from './benchmark.ts';
import { backlog } from './cases/backlog.ts';
import { ceiling } from './cases/ceiling.ts';
import { growth } from './cases/growth.ts';
import { inFlight } from './cases/in-flight.ts';
import { inspector } from './cases/inspector.ts';
import { local } from './cases/local.ts';
import { machines } from './cases/machines.ts';
import { pickUp } from './cases/pick-up.ts';
import { price } from './cases/price.ts';
import { profile } from './cases/profile.ts';
import { rounds } from './cases/rounds.ts';
import { start } from './cases/start.ts';
import { traces } from './cases/traces.ts';

/** Every benchmark, in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  start,
  ceiling,
  backlog,
  pickUp,
  price,
  rounds,
  inFlight,
  growth,
  local,
  machines,
  profile,
  inspector,
  traces,
];
