import { expect, test } from 'vitest';
import { Fault, faultOf, isAttempt, isGatewayTrouble, type FaultKind } from './fault.ts';

test('a fault is itself, anything else is a bug that keeps its message', () => {
  const fault = new Fault('runFailed', 'The run failed.', { retryAfterMs: 5 });
  expect(faultOf(fault)).toBe(fault);
  expect(faultOf(new TypeError('x is undefined'))).toMatchObject({ kind: 'bug', message: 'x is undefined' });
  expect(faultOf('a word')).toMatchObject({ kind: 'bug', message: 'a word', retryAfterMs: 0 });
});

test.each<[FaultKind, attempt: boolean, gateway: boolean]>([
  ['gatewayUnavailable', false, true],
  ['gatewayRefused', false, true],
  ['gatewayMisconfigured', false, true],
  ['agentUnknown', false, false],
  ['requestRejected', false, false],
  ['runFailed', true, false],
  ['runCut', true, false],
  ['runTimedOut', true, false],
  ['runLimited', false, false],
  ['aborted', false, false],
  ['bug', true, false],
])('%s counts as an attempt: %s, as gateway trouble: %s', (kind, attempt, gateway) => {
  expect(isAttempt(kind)).toBe(attempt);
  expect(isGatewayTrouble(kind)).toBe(gateway);
});
