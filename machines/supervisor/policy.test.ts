import { expect, test } from 'vitest';
import { CHILD_BUDGET, COMMON_BUDGET, forgive, judgeCrash, withDependants, type Ledger } from './policy.ts';

const crash = (ledger: Ledger, id: string): Ledger => {
  const verdict = judgeCrash(ledger, id, 'boom');
  if (verdict.kind === 'escalate') throw new Error('the budget is spent too early');
  return verdict.ledger;
};

test('a crash is answered with a restart, later each time', () => {
  let ledger: Ledger = {};
  const delays: number[] = [];
  for (let n = 0; n < CHILD_BUDGET; n += 1) {
    const verdict = judgeCrash(ledger, 'delivery', 'boom');
    if (verdict.kind === 'restart') delays.push(verdict.delayMs);
    ledger = crash(ledger, 'delivery');
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_600]);
  expect(judgeCrash(ledger, 'delivery', 'boom')).toEqual({
    kind: 'escalate',
    reason: `delivery crashed ${CHILD_BUDGET + 1} times within a minute, last with: boom`,
  });
});

test('one sick child does not use up the budget of another, but there is a common cap', () => {
  let ledger: Ledger = {};
  for (let n = 0; n < CHILD_BUDGET; n += 1) ledger = crash(ledger, 'delivery');
  for (let n = 0; n < COMMON_BUDGET - CHILD_BUDGET; n += 1) ledger = crash(ledger, 'agentSync');
  expect(judgeCrash(ledger, 'upgrade', 'boom').kind).toBe('escalate');
});

test('a crash is forgiven after a while', () => {
  let ledger: Ledger = {};
  for (let n = 0; n < CHILD_BUDGET; n += 1) ledger = crash(ledger, 'delivery');
  expect(judgeCrash(forgive(ledger, 'delivery'), 'delivery', 'boom').kind).toBe('restart');
  expect(forgive({ delivery: 1 }, 'delivery')).toEqual({});
});

test('delivery is started again with the gateway, everything else alone', () => {
  expect(withDependants('gateway')).toEqual(['gateway', 'delivery']);
  expect(withDependants('delivery')).toEqual(['delivery']);
});
