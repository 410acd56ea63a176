import type { FaultCase } from './case.ts';
import { backendCases } from './cases/backend.ts';
import { clockCases } from './cases/clock.ts';
import { gatewayCases } from './cases/gateway.ts';
import { journalCases } from './cases/journal.ts';
import { leavingCases } from './cases/leaving.ts';
import { randomCases } from './cases/random.ts';
import { rowCases } from './cases/rows.ts';
import { scopeCases } from './cases/scopes.ts';
import { upgradeCases } from './cases/upgrade.ts';

/** Every fault, in the order in which they run. */
export const CASES: readonly FaultCase[] = [
  ...gatewayCases,
  ...backendCases,
  ...rowCases,
  ...scopeCases,
  ...randomCases,
  ...leavingCases,
  ...upgradeCases,
  ...journalCases,
  ...clockCases,
];
