import type { Figure } from './figure.ts';

/** One file of `cases/`, named in registry.ts. */
export interface Benchmark {
  /** Its name on the command line, and the start of its figures' names. */
  name: string;
  /** One line for `--list`. */
  what: string;
  /** Measures. Every process that it starts is gone when it settles or rejects. */
  run: (report: Report) => Promise<void>;
}

export interface Report {
  /** Prints a figure, as soon as it is known. */
  figure: (figure: Figure) => void;
  /** Whether to run the long form that the goals ask for. */
  full: boolean;
  /** Says on standard error what is going on. */
  progress: (line: string) => void;
}
