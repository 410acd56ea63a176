/**
 * What a child tells its parent about itself: `problem` is one sentence for an operator while the child is not in a
 * good state, null when it is. The account's status (online, degraded) and `/health` follow from these alone.
 */
export interface ConditionChanged {
  type: 'condition.changed';
  source: string;
  problem: string | null;
  /** `failed`: only a person can mend it (a refused service token); `/health` answers 503. `degraded` when absent. */
  severity?: 'degraded' | 'failed';
  /** When it began, in milliseconds of the wall clock; now when absent. */
  since?: number;
  /** The child that tells it, where the source is not a child itself. What a crashed child told is forgotten. */
  of?: string;
}
