type Outcome = 'completed' | 'failed' | 'aborted' | 'reset' | 'unavailable';

/** One run that was asked for; times in milliseconds since the epoch. */
export interface RunRecord {
  sessionKey: string;
  agent: string;
  notificationId: string | null;
  /** The names of the tools that were offered. */
  tools: string[];
  /** When the request had arrived. The run counts as open from here to its end. */
  startedAt: number;
  endedAt: number | null;
  outcome: Outcome | null;
}

export interface Ledger {
  begin(
    order: { sessionKey: string; agent: string; tools: readonly { name: string }[] },
    notificationId: string | null,
  ): RunRecord;
  /** The first outcome counts. */
  end(run: RunRecord, outcome: Outcome): void;
  /** Settles when no run is open. */
  idle(): Promise<void>;
  /** Runs in the order of their requests, and how many of one session, and of all, were open at once. */
  report(): { runs: RunRecord[]; maxOpenPerSession: Record<string, number>; maxOpen: number };
}

const MOST_KEPT = 20_000;

/** What the echo gateway was asked for, so that a test can check order and overlap. */
export function createLedger(): Ledger {
  const runs: RunRecord[] = [];
  const open = new Map<string, number>();
  const peaks = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let openNow = 0;
  let maxOpen = 0;

  return {
    begin({ sessionKey, agent, tools }, notificationId) {
      const names = tools.map(({ name }) => name);
      const run: RunRecord = {
        sessionKey,
        agent,
        notificationId,
        tools: names,
        startedAt: Date.now(),
        endedAt: null,
        outcome: null,
      };
      runs.push(run);
      if (runs.length > MOST_KEPT) runs.shift();
      const inSession = (open.get(sessionKey) ?? 0) + 1;
      open.set(sessionKey, inSession);
      peaks.set(sessionKey, Math.max(peaks.get(sessionKey) ?? 0, inSession));
      openNow += 1;
      maxOpen = Math.max(maxOpen, openNow);
      return run;
    },
    end(run, outcome) {
      if (run.outcome !== null) return;
      run.outcome = outcome;
      run.endedAt = Date.now();
      const inSession = (open.get(run.sessionKey) ?? 1) - 1;
      if (inSession === 0) open.delete(run.sessionKey);
      else open.set(run.sessionKey, inSession);
      openNow -= 1;
      if (openNow === 0) for (const resolve of waiting.splice(0)) resolve();
    },
    idle: () => (openNow === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    report: () => ({ runs, maxOpenPerSession: Object.fromEntries(peaks), maxOpen }),
  };
}
