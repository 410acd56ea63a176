import type { Benchmark } from './benchmark.ts';
import { backlog } from './cases/backlog.ts';
import { ceiling } from './cases/ceiling.ts';
import { start } from './cases/start.ts';

/** Every benchmark, in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [start, ceiling, backlog];
