/** A moment that another process on the same machine can measure from, whatever the wall clock does meanwhile. */
export interface Moment {
  /** Names the machine's run since its last start; moments of different runs cannot be compared. */
  boot: string;
  /** Milliseconds on the machine's monotonic clock. */
  ms: number;
}
