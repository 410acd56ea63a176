import type { FaultCase } from './case.ts';
import { answerCases } from './cases/answers.ts';
import { backendCases } from './cases/backend.ts';
import { clockCases } from './cases/clock.ts';
import { gatewayCases } from './cases/gateway.ts';
import { journalCases } from './cases/journal.ts';
import { leavingCases } from './cases/leaving.ts';
import { looksWellCases } from './cases/looks-well.ts';
import { randomFormCases } from './cases/random-forms.ts';
import { randomCases } from './cases/random.ts';
import { rowCases } from './cases/rows.ts';
import { scopeCases } from './cases/scopes.ts';
import { silenceCases } from './cases/silence.ts';
import { surroundingsCases } from './cases/surroundings.ts';
import { upgradeCases } from './cases/upgrade.ts';

/** Every fault, in the order in which they run. */
export const CASES: readonly FaultCase[] = [
  ...gatewayCases,
  ...backendCases,
  ...rowCases,
  ...scopeCases,
  ...answerCases,
  ...silenceCases,
  ...looksWellCases,
  ...surroundingsCases,
  ...randomCases,
  ...randomFormCases,
  ...leavingCases,
  ...upgradeCases,
  ...journalCases,
  ...clockCases,
];
