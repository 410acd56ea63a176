import { limitFor, type TokenLimits } from '../../machines/shared/spending.ts';
import type { DaySpending } from '../actors/spending.ts';
import type { TokensReport } from './report.ts';

const AGENTS_SHOWN = 50;
const DAYS_SHOWN = 35;

/** @param days the latest day first, and of a day whoever used the most first */
export function tokensReport(
  days: readonly DaySpending[],
  limits: TokenLimits,
  now: number = Date.now(),
): TokensReport {
  const day = new Date(now).toISOString().slice(0, 10);
  const agents = days
    .filter((one) => one.day === day)
    .slice(0, AGENTS_SHOWN)
    .map(({ agent, input, output }) => {
      const limit = limitFor(limits, agent);
      return { agent, input, output, limit, rests: limit !== null && input + output >= limit };
    });
  const byDay = [...Map.groupBy(days, (one) => one.day)].slice(0, DAYS_SHOWN);
  return {
    day,
    agents,
    days: byDay.map(([of, some]) => ({
      day: of,
      input: some.reduce((sum, { input }) => sum + input, 0),
      output: some.reduce((sum, { output }) => sum + output, 0),
    })),
  };
}
