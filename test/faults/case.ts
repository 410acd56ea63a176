import type { TestContext } from 'vitest';

/** One fault, and what must hold all the same. */
export interface FaultCase {
  /** As in `npm run faults <name>`. */
  name: string;
  /** What is done and what must follow, in one line. */
  what: string;
  /** Also part of `npm test`: quick, and the other suites do not show it. */
  quick?: boolean;
  /** About a step that a backend which offers more than the contract does not need. */
  contractOnly?: boolean;
  /** What /health must say meanwhile, where the trouble lasts; it must be healthy again within 30 s of the end. */
  names?: RegExp;
  /** Seconds; 60 when absent. */
  limit?: number;
  /**
   * @param test skips itself where the machine lacks something
   * @returns the figure, in a few words; throws when something that must hold does not
   */
  run: (test: TestContext) => Promise<string>;
}

declare module 'vitest' {
  interface TaskMeta {
    /** What a fault case has measured. */
    figure?: string;
  }
}
