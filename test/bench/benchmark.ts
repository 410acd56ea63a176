import type { Figure } from './figure.ts';

/** One file of `cases/`, named in registry.ts. */
export interface Benchmark {
  /** What it is called on the command line, and what its figures' names begin with. */
  name: string;
  /** One line for `--list`. */
  what: string;
  /** Measures; every process that it starts is gone when it settles, also when it rejects. */
  run: (report: Report) => Promise<void>;
}

export interface Report {
  /** Prints a figure, as soon as it is known. */
  figure: (figure: Figure) => void;
  /** As long as the goals ask for; else as long as all benchmarks together may take. */
  full: boolean;
  /** Says on standard error what is going on. */
  progress: (line: string) => void;
}
