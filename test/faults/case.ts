import type { TestContext } from 'vitest';

/** One fault, and what must hold in spite of it. */
export type FaultCase = Fault & (Named | Unnamed);

interface Fault {
  /** As in `npm run faults <name>`. */
  name: string;
  /** What is done and what must follow, in one line. */
  what: string;
  /** Also part of `npm test`: the case is quick, and no other suite shows the same. */
  quick?: boolean;
  /** The case is about a step that an extended backend does not need, so it runs with a plain one only. */
  contractOnly?: boolean;
  /** Seconds; 60 when absent. */
  limit?: number;
  /**
   * @param test skips itself where the machine lacks something
   * @param trouble is told when the trouble begins and ends, where the case has something to name
   * @returns the figure, in a few words; throws when something that must hold does not
   */
  run: (test: TestContext, trouble: Trouble) => Promise<string>;
}

/** Somebody's trouble lasts long enough to be seen. */
interface Named {
  /** What a problem on /health must say within 20 s; it must be healthy again within 30 s of the end. */
  names: RegExp;
}

/** There is rightly nothing to name, so /health must raise no alarm that stays. */
interface Unnamed {
  /** Why there is nothing, in one sentence. */
  nothingToName: string;
}

export interface Trouble {
  /** From now on somebody is in trouble; the first call counts. */
  begins: () => void;
  /** From now on nobody is, and nothing is tried in vain any more; the last call counts. */
  ends: () => void;
}

declare module 'vitest' {
  interface TaskMeta {
    /** What a fault case has measured. */
    figure?: string;
  }
}
