/**
 * What follows when a supervised child crashes. A crash is a bug, because expected failures are states. The child is
 * started again a few times; if that does not help, the process ends. Words and limits are those of an OTP supervisor.
 * Each child has a budget of its own, so one sick child cannot use up its siblings' budget, and there is a common cap.
 */

/** Crashes within the window, per child. */
export type Ledger = Readonly<Record<string, number>>;

export const CHILD_BUDGET = 5;
export const COMMON_BUDGET = 10;
/** After this time a crash no longer counts, in milliseconds. */
export const WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 100;

/** Children that cannot go on when another child starts afresh: they are started again together (OTP's rest-for-one). */
const DEPENDANTS: Readonly<Record<string, readonly string[]>> = { gateway: ['delivery'] };

export type Verdict =
  { kind: 'restart'; delayMs: number; ledger: Ledger } | { kind: 'escalate'; reason: string };

/** @returns restart after `delayMs` milliseconds, doubling with each crash in the window, or escalate */
export function judgeCrash(ledger: Ledger, childId: string, error: string): Verdict {
  const crashes = (ledger[childId] ?? 0) + 1;
  const total = Object.values(ledger).reduce((sum, n) => sum + n, 0) + 1;
  if (crashes > CHILD_BUDGET || total > COMMON_BUDGET) {
    return {
      kind: 'escalate',
      reason: `${childId} crashed ${crashes} times within a minute, last with: ${error}`,
    };
  }
  return {
    kind: 'restart',
    delayMs: FIRST_DELAY_MS * 2 ** (crashes - 1),
    ledger: { ...ledger, [childId]: crashes },
  };
}

export function forgive(ledger: Ledger, childId: string): Ledger {
  const left = (ledger[childId] ?? 0) - 1;
  if (left > 0) return { ...ledger, [childId]: left };
  return Object.fromEntries(Object.entries(ledger).filter(([id]) => id !== childId));
}

/** The child and all that must be started again with it, in start order. */
export const withDependants = (childId: string): readonly string[] => [
  childId,
  ...(DEPENDANTS[childId] ?? []),
];
