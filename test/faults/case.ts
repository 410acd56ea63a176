import type { TestContext } from 'vitest';

/** One fault, and what must hold in spite of it. */
export interface FaultCase {
  /** As in `npm run faults <name>`. */
  name: string;
  /** What is done and what must follow, in one line. */
  what: string;
  /** Also part of `npm test`: the case is quick, and no other suite shows the same. */
  quick?: boolean;
  /** The case is about a step that an extended backend does not need, so it runs with a plain one only. */
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
