/** A moment that a later process on the same machine can measure from, even if the wall clock is changed. */
export interface Moment {
  /** Names the machine's run since its last start; moments of different runs cannot be compared. */
  boot: string;
  /** Milliseconds on the machine's monotonic clock. */
  ms: number;
}
